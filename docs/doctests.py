"""A griffe extension: examples in docstrings are shown as code, which is what they are."""

from __future__ import annotations

import re
from typing import Any

import griffe

_EXAMPLE = re.compile(r"(?:^ *>>> .*\n(?:^ *\S.*\n?)*\n?)+", re.M)


class Doctests(griffe.Extension):
    """Puts every run of `>>>` lines, with what they print, into a block of its own."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        """Rewrite the docstring of an object that was loaded."""
        if obj.docstring is not None:
            obj.docstring.value = _EXAMPLE.sub(_fenced, obj.docstring.value + "\n").rstrip()


def _fenced(found: re.Match[str]) -> str:
    indent = found[0][: len(found[0]) - len(found[0].lstrip(" "))]
    return f"{indent}```pycon\n{found[0].rstrip()}\n{indent}```\n\n"
