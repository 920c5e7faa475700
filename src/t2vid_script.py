"""The console script `t2vid`: Ctrl-C while Python still imports t2vid is one line, too.

It stands beside the package, since whatever is in it begins by importing the package.
"""

import sys


def main() -> int:
    """Run `t2vid.cli.main`."""
    try:
        from t2vid.cli import main

        return main()
    except KeyboardInterrupt:
        sys.stderr.write("\nt2vid: interrupted; run it again to go on\n")
        return 130
