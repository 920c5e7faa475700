"""Opens a folder that is to be published: a built mix, or what `save_to_disk` wrote.

dataset, recipe, counts = open_folder("mix")
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

from t2vid.errors import MissingFile
from t2vid.mixing.recipe import Recipe
from t2vid.schema import Counts

_SAVED = ("state.json", "dataset_dict.json")  # what save_to_disk writes


class OpenedFolder(NamedTuple):
    """A dataset, and for a mix what it was built from and what building dropped."""

    dataset: Any
    recipe: Recipe | None = None
    counts: Counts | None = None


def open_folder(folder: str | Path) -> OpenedFolder:
    """Open a folder that `t2vid build` or `save_to_disk` wrote.

    Args:
        folder: of a mix, of a saved `Dataset` or of a `DatasetDict`.

    Raises:
        MissingFile: when it is none of these.
    """
    from datasets import load_from_disk

    from t2vid.mixing.build import load

    folder = Path(folder)
    if not folder.is_dir():
        raise MissingFile(f"{folder} is no folder; give what t2vid build or save_to_disk wrote")
    if (folder / "manifest.json").is_file():
        counts = Counts.from_dict(json.loads((folder / "counts.json").read_text(encoding="utf-8")))
        return OpenedFolder(load(folder), Recipe.from_yaml(folder / "recipe.yaml"), counts)
    if any((folder / name).is_file() for name in _SAVED):
        return OpenedFolder(load_from_disk(str(folder)))
    raise MissingFile(
        f"{folder} holds no finished mix and no saved dataset; give what t2vid build or "
        "save_to_disk wrote (an interrupted build goes on when it is run again)"
    )
