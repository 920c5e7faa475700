"""The recipes that t2vid brings. To add one, put its YAML file into the folder of its kind.

>>> [recipe.name for recipe in recipes("mix")][:2]
['full-200k', 'hybrid-30k']
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import takewhile
from pathlib import Path
from typing import Literal, get_args

RecipeKind = Literal["mix", "training"]

_ROOT = Path(__file__).parent.parent
_FOLDERS: dict[RecipeKind, Path] = {
    "mix": _ROOT / "mixing" / "recipes",
    "training": _ROOT / "trainer" / "recipes",
}


@dataclass(frozen=True)
class RecipeFile:
    """A recipe that t2vid brings.

    Args:
        name: of the recipe: that of its file, without `.yaml`.
        kind: `"mix"` for `t2vid build`, `"training"` for `t2vid train`.
        path: its file.
        about: the first line of the file, which is a comment.
        aliases: none; recipes have one name.
    """

    name: str
    kind: RecipeKind
    path: Path
    about: str
    aliases: tuple[str, ...] = field(default=(), repr=False)


def recipes(kind: RecipeKind | None = None) -> list[RecipeFile]:
    """Give the recipes of a kind, or all, by name.

    Args:
        kind: `"mix"` or `"training"`.
    """
    kinds = get_args(RecipeKind) if kind is None else (kind,)
    return [
        RecipeFile(path.stem, one, path, _first_sentence(path))
        for one in kinds
        for path in sorted(_FOLDERS[one].glob("*.yaml"))
    ]


def _first_sentence(path: Path) -> str:
    with open(path, encoding="utf-8") as file:
        lines = [line.lstrip("# ").strip() for line in takewhile(lambda x: x[:1] == "#", file)]
    return re.split(r"(?<=[.])\s+(?=[A-Z])", " ".join(lines))[0]
