"""The house stands: no circle among files, arrows point down, public names stand once.

Imports are read from the source, so those inside functions and under TYPE_CHECKING count as well.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import t2vid

ROOT = Path(t2vid.__file__).parent

# From the cellar to the roof, as docs/architecture.md draws them; a file may import what is on its
# own floor or below.
FLOORS = (
    "_version errors progress samples schema terminal configuration",
    "storage catalog targets registry",
    "corpora frames scoring",
    "insight mixing models judging",
    "dataset_scripts evaluation metrics publishing trainer",
    "pages browse demo miniature",
    "arguments checkup cli commands environment __main__ __init__",
)


class Import(NamedTuple):
    """That a file imports another, and where."""

    importer: str
    imported: str
    line: int

    def __str__(self) -> str:
        return f"{self.importer}:{self.line} imports {self.imported}"


@cache
def modules() -> dict[str, Path]:
    """Give every module of the package, links followed, by its name."""
    found = {}
    for path in sorted([*ROOT.rglob("*.py"), *(ROOT / "trainer").rglob("*.py")]):
        parts = path.relative_to(ROOT).with_suffix("").parts
        name = ".".join(("t2vid", *parts)).removesuffix(".__init__")
        found[name] = path
    for folder in ("trainer", "dataset_scripts"):  # rglob does not follow links
        for path in (ROOT / folder).glob("*.py"):
            found[f"t2vid.{folder}.{path.stem}".removesuffix(".__init__")] = path
    return found


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def imports() -> list[Import]:
    """Give every import of one file of the package by another."""
    return [
        Import(name, imported, line)
        for name, path in modules().items()
        for imported, line in _imported(path)
        if imported != name
    ]


def _imported(path: Path) -> Iterator[tuple[str, int]]:
    known = modules()
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name in known:
                    yield alias.name, node.lineno
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                if inner in known:
                    yield inner, node.lineno
                elif node.module in known:
                    yield str(node.module), node.lineno


def room(module: str) -> str:
    """Give the first name below the package: the room that a file is in."""
    return module.split(".")[1] if "." in module else "__init__"


@cache
def floor(module: str) -> int:
    for number, rooms in enumerate(FLOORS):
        if room(module) in rooms.split():
            return number
    raise AssertionError(
        f"{module} is on no floor; add its room to FLOORS and docs/architecture.md"
    )


def test_every_file_is_on_a_floor_and_every_room_is_there():
    assert len(modules()) > 100 and len(imports()) > 300
    rooms = {room(name) for name in modules()}
    for name in rooms:
        floor(f"t2vid.{name}" if name != "__init__" else "t2vid")
    assert rooms == set(" ".join(FLOORS).split()), "FLOORS names a room that is not there"


def test_no_arrow_points_up():
    up = [str(one) for one in imports() if floor(one.imported) > floor(one.importer)]
    assert not up, "\n".join(up)


def circles(graph: dict[str, set[str]]) -> list[list[str]]:
    """Give the strongly connected parts of more than one node (Tarjan, SIAM J. Comput. 1, 1972)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(node: str) -> None:
        index[node] = low[node] = len(index)
        stack.append(node)
        for other in graph.get(node, ()):
            if other not in index:
                visit(other)
                low[node] = min(low[node], low[other])
            elif other in stack:
                low[node] = min(low[node], index[other])
        if low[node] == index[node]:
            part = [stack.pop()]
            while part[-1] != node:
                part.append(stack.pop())
            if len(part) > 1:
                found.append(sorted(part))

    for node in list(graph):
        if node not in index:
            visit(node)
    return found


def graph_of(*, rooms: bool = False) -> dict[str, set[str]]:
    graph: dict[str, set[str]] = {}
    for one in imports():
        ends = (room(one.importer), room(one.imported)) if rooms else one[:2]
        if ends[0] != ends[1]:
            graph.setdefault(ends[0], set()).add(ends[1])
    return graph


def test_a_circle_is_found():
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}) == [["a", "b", "c"]]


def test_there_is_no_circle_among_files():
    found = circles(graph_of())
    assert not found, "\n".join(
        f"{part}: " + "; ".join(str(i) for i in imports() if {*i[:2]} <= {*part}) for part in found
    )


def test_there_is_no_circle_among_rooms():
    found = circles(graph_of(rooms=True))
    between = [
        str(one)
        for part in found
        for one in imports()
        if room(one.importer) != room(one.imported)
        and {room(one.importer), room(one.imported)} <= {*part}
    ]
    assert not found, "\n".join(between)


def test_no_file_imports_a_private_name_of_another():
    private = []
    for name, path in modules().items():
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.ImportFrom) and str(node.module).startswith("t2vid"):
                private += [
                    f"{name}:{node.lineno} {alias.name} of {node.module}"
                    for alias in node.names
                    if alias.name.startswith("_")
                    and alias.name != "_version"
                    and not alias.name.startswith("__")
                ]
    assert not private, "\n".join(private)


def test_a_public_class_name_stands_once():
    names = Counter(
        node.name
        for path in modules().values()
        for node in tree(path).body
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
    )
    twice = {name: n for name, n in names.items() if n > 1}
    where = [
        f"{node.name} in {module}"
        for module, path in modules().items()
        for node in tree(path).body
        if isinstance(node, ast.ClassDef) and node.name in twice
    ]
    assert not twice, "\n".join(sorted(where))
