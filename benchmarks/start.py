"""How long t2vid takes to start, in CPU time, as multiples of `python -c pass`.

python benchmarks/start.py
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys

RUNS = 15
COMMANDS = {
    "python -c pass": ["-c", "pass"],
    "import t2vid": ["-c", "import t2vid"],
    "t2vid --help": ["-m", "t2vid", "--help"],
    "t2vid list": ["-m", "t2vid", "list"],
    "import datasets": ["-c", "import datasets"],
    "import datasets, t2vid": ["-c", "import datasets, t2vid"],
}


def cpu_s(arguments: list[str]) -> float:
    """Give the user and system time of a process."""
    before = os.times()
    subprocess.run([sys.executable, *arguments], stdout=subprocess.DEVNULL, check=True)
    after = os.times()
    return (
        after.children_user - before.children_user + after.children_system - before.children_system
    )


def main() -> None:
    """Print the median of each, the commands taking turns."""
    times: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _ in range(RUNS):
        for name, arguments in COMMANDS.items():
            times[name].append(cpu_s(arguments))
    base = statistics.median(times["python -c pass"])
    for name, values in times.items():
        middle = statistics.median(values)
        print(f"{name:<24}{1e3 * middle:>8.0f} ms{middle / base:>8.1f} x")


if __name__ == "__main__":
    main()
