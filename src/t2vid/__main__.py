"""`python -m t2vid` is `t2vid`."""

import sys

from t2vid.cli import main

sys.exit(main())
