"""The worked examples of docs/architecture.md hold in a copy of the project, word for word."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import t2vid

PAGE = Path(__file__).parents[1] / "docs" / "architecture.md"
_BLOCK = re.compile(r"^```\w+ (file|entry|run)(?:=(\S+))?\n(.*?)^```$", re.M | re.S)


@pytest.fixture(scope="module")
def blocks():
    return [match.groups() for match in _BLOCK.finditer(PAGE.read_text(encoding="utf-8"))]


@pytest.fixture(scope="module")
def copy(tmp_path_factory, blocks):
    """Copy the package, its linked folders as real ones, and write what the page says into it."""
    root = tmp_path_factory.mktemp("copy")
    package = root / "src" / "t2vid"
    shutil.copytree(Path(t2vid.__file__).parent, package, ignore=shutil.ignore_patterns("*.pyc"))
    for kind, where, text in blocks:
        if kind == "file":
            assert not (root / where).exists(), f"{where} is there already"
            (root / where).write_text(text, encoding="utf-8")
        elif kind == "entry":
            path, _, table = where.partition(":")
            old = (root / path).read_text(encoding="utf-8")
            [head] = re.findall(rf"^{table} = [({{]\n", old, re.M)
            (root / path).write_text(old.replace(head, head + text), encoding="utf-8")
    return root


def test_each_kind_of_thing_has_an_example_of_one_file_and_one_entry(blocks):
    places = [where for kind, where, _ in blocks if kind != "run"]
    rooms = [
        "corpora",
        "corpora",
        "benchmarks",
        "benchmarks",
        "families",
        "scoring",
        "judges",
        "pages",
        "insight",
        "commands",
    ]
    assert all(room in where for room, where in zip(rooms, places, strict=True))
    assert sum(kind == "run" for kind, _, _ in blocks) == 6


def test_the_examples_run(copy, blocks, tmp_path):
    files = [copy / where for kind, where, _ in blocks if kind == "file" and where.endswith(".py")]
    modules = [".".join(path.relative_to(copy / "src").with_suffix("").parts) for path in files]
    code = "".join(text for kind, _, text in blocks if kind == "run")
    code += "import doctest, importlib, t2vid\n"
    code += f"assert t2vid.__file__.startswith({str(copy)!r})\n"
    code += f"for name in {modules!r}:\n"
    code += "    found = doctest.testmod(importlib.import_module(name))\n"
    code += "    assert found.attempted and not found.failed, name\n"
    environment = {**os.environ, "PYTHONPATH": str(copy / "src"), "HF_HOME": str(tmp_path / "home")}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-3000:]


def test_the_picture_and_the_table_name_every_room(blocks):
    text = PAGE.read_text(encoding="utf-8")
    package = Path(t2vid.__file__).parent
    rooms = {path.name for path in package.iterdir() if (path / "__init__.py").exists()}
    assert [room for room in sorted(rooms) if f"{room}/" not in text] == []
