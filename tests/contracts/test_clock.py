"""No test reads a clock: on a busy machine its answer says nothing of t2vid."""

from __future__ import annotations

import ast
from pathlib import Path

TESTS = Path(__file__).parents[1]
CLOCKS = {"monotonic", "perf_counter", "process_time", "thread_time", "now", "utcnow", "today"}
CLOCKS |= {f"{name}_ns" for name in CLOCKS}


def _read_clocks(tree: ast.AST) -> list[str]:
    """List calls such as `time.time()` and `datetime.now()`."""
    found = []
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        owner = ast.unparse(node.func.value)
        if node.func.attr in CLOCKS or (owner == "time" and node.func.attr in ("time", "time_ns")):
            found.append(f"{node.lineno}: {owner}.{node.func.attr}()")
    return found


def test_no_test_reads_a_clock():
    read = {
        str(path.relative_to(TESTS)): found
        for path in TESTS.rglob("*.py")
        if (found := _read_clocks(ast.parse(path.read_text(encoding="utf-8"))))
    }
    assert read == {}


def test_clocks_are_recognised():
    code = "time.monotonic()\ntime.time()\ndatetime.datetime.now(UTC)\ntime.sleep(1)\nx.time()"
    assert len(_read_clocks(ast.parse(code))) == 3
