"""What a user named: a dataset, a built mix, a run, a recipe, a file of rows — or what is near it.

>>> find("hybrid-30k").kind, find("t2vid/mvbench").kind, find("me/rows-on-the-hub").kind
('recipe', 'dataset', 'hub')
>>> find("hybird-30k", ["recipe"])  # doctest: +ELLIPSIS
Traceback (most recent call last):
t2vid.errors.UnknownTarget: 'hybird-30k' is no file or folder, recipe or name ...; did you mean 'hybrid-30k'?

Only names, file names and the first bytes of a YAML file are looked at; nothing is loaded, and the
Hub is not asked.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from t2vid import catalog
from t2vid.configuration import read_yaml
from t2vid.errors import InputError, MissingFile, UnknownTarget

TargetKind = Literal[
    "mix", "saved", "rows", "run", "checkpoint", "folder", "file", "recipe", "training", "dataset",
    "hub",
]  # fmt: skip
# What holds rows to train on or to look at, however it is written.
ROWS: tuple[TargetKind, ...] = ("mix", "saved", "rows", "recipe", "dataset", "hub")

ROW_SUFFIXES = (".parquet", ".jsonl", ".json", ".csv", ".tsv", ".arrow", ".jsonl.gz", ".json.gz")
YAML_SUFFIXES = (".yaml", ".yml")
_SAVED = ("state.json", "dataset_dict.json")  # what save_to_disk writes
# Loaders of `datasets` that take `data_files=`.
_LOADERS = ("arrow", "csv", "imagefolder", "json", "parquet", "text", "videofolder", "webdataset")
_REPO = re.compile(r"[\w.-]+/[\w.-]+")
_ARE: dict[TargetKind, str] = {
    "mix": "a mix that t2vid build wrote",
    "saved": "a folder that save_to_disk wrote",
    "rows": "a file of rows (Parquet, JSON, CSV)",
    "run": "an evaluation",
    "checkpoint": "a checkpoint of a model",
    "folder": "a folder",
    "file": "a file",
    "recipe": "a recipe of a mix (a name or a YAML file)",
    "training": "a recipe of training (a name or a YAML file)",
    "dataset": "a dataset of t2vid",
    "hub": "owner/name of a dataset on the Hub",
}


@dataclass(frozen=True)
class Target:
    """What a user named.

    Attributes:
        named: as the user wrote it.
        kind: what it is.
        name: the name for `load_dataset` of a dataset, or of a recipe; else `named`.
        path: the file or folder, also of a recipe that t2vid brings; None for a dataset by name.
    """

    named: str
    kind: TargetKind
    name: str
    path: Path | None = None

    @property
    def folder(self) -> Path:
        """The file or folder of a kind that has one."""
        if self.path is None:
            raise InputError(f"{self.named!r} is {_ARE[self.kind]}, which is no file or folder")
        return self.path


def find(
    what: str | os.PathLike[str],
    accept: Sequence[TargetKind] = get_args(TargetKind),
    *,
    by: str = "this",
) -> Target:
    """Say what a user means.

    A file or folder that is there and of use comes first, then recipes, then datasets; only
    `owner/name` may be on the Hub.

    Args:
        what: path or name.
        accept: kinds that the caller can use.
        by: who the caller is, for the error.

    Raises:
        UnknownTarget: when it is none of them; names what is near.
        MissingFile: for the folder of an unfinished mix.
        InputError: when it is of another kind, or a YAML file that cannot be read.
    """
    named = os.fspath(what)
    target = _at_path(named)
    if target is None or target.kind not in accept:  # a folder `sample` does not hide the recipe
        other = _by_name(named)
        target = other if target is None or (other and other.kind in accept) else target
    if target is None:
        raise _unknown(named, accept, by)
    if target.kind not in accept:
        raise InputError(
            f"{named!r} is {_ARE[target.kind]}; {by} takes {_listed(accept)}{_inside(target)}"
        )
    return target


def _at_path(named: str) -> Target | None:
    path = Path(named)
    if named and path.is_dir():
        # A folder `t2vid` in the working directory does not hide the package's names.
        return None if named in catalog.loadable() else Target(named, _kind_of(path), named, path)
    if not path.is_file():
        return None
    if named.endswith(YAML_SUFFIXES):
        return Target(named, _kind_of_recipe(path), path.stem, path)
    return Target(named, "rows" if named.lower().endswith(ROW_SUFFIXES) else "file", named, path)


def _kind_of(folder: Path) -> TargetKind:
    def holds(*names: str) -> bool:
        return any((folder / name).is_file() for name in names)

    if holds("run.json"):
        return "run"
    if holds("manifest.json"):
        return "mix"
    if holds(*_SAVED):
        return "saved"
    if holds(".work/plan.json"):
        raise MissingFile(f"{folder} holds an unfinished mix; run t2vid build again, it goes on")
    if holds("config.json"):
        return "checkpoint"
    return "rows" if any(_row_files(folder)) else "folder"


def _row_files(folder: Path) -> Iterator[Path]:
    for here in (folder, folder / "data"):
        if here.is_dir():
            yield from (path for path in here.iterdir() if path.name.endswith(ROW_SUFFIXES))


def _kind_of_recipe(path: Path) -> TargetKind:
    value = read_yaml(path)
    return "recipe" if isinstance(value, dict) and "sources" in value else "training"


def _by_name(named: str) -> Target | None:
    for recipe in catalog.recipes():
        if named in (recipe.name, f"{recipe.name}.yaml"):
            return Target(named, _kind(recipe), recipe.name, recipe.path)
    names = catalog.loadable()
    for name in (named, f"t2vid/{named}"):
        # `mix` is a folder that is not there; bundled rows do not take its place
        if name in names and (name == named or not names[name].bundled):
            return Target(named, "dataset", name)
    if named in _LOADERS:
        return Target(named, "dataset", named)
    ours = named.lower().startswith("t2vid/")
    # A folder beside others that is not there is a misspelt path, not a name on the Hub.
    a_file = named.lower().endswith((*ROW_SUFFIXES, *YAML_SUFFIXES))
    if _REPO.fullmatch(named) and not (ours or a_file or Path(named).parent.is_dir()):
        return Target(named, "hub", named)
    return None


def _kind(recipe: catalog.RecipeFile) -> TargetKind:
    return "recipe" if recipe.kind == "mix" else "training"


def _unknown(named: str, accept: Sequence[TargetKind], by: str) -> UnknownTarget:
    close = near(named, accept)
    if f"t2vid/{named}" in close:
        more = f"for the rows that t2vid brings, write 't2vid/{named}'"
    elif close:
        more = f"did you mean {' or '.join(map(repr, close))}?"
    else:
        recipes = [recipe.name for recipe in catalog.recipes() if _kind(recipe) in accept]
        brought = f"; the recipes are {', '.join(recipes)}" if recipes else ""
        more = f"{by} takes {_listed(accept)}{brought}"
    return UnknownTarget(f"{named!r} is no file or folder, recipe or name that t2vid knows; {more}")


def near(named: str, accept: Sequence[TargetKind]) -> list[str]:
    """Give names that the user may have meant: those of the catalogue, and of files beside it."""
    known = [recipe.name for recipe in catalog.recipes() if _kind(recipe) in accept]
    if "dataset" in accept:
        known += catalog.loadable()
    path = Path(named)
    try:
        beside = [entry.name for entry in path.parent.iterdir()]
    except OSError:
        beside = []
    from difflib import get_close_matches

    close = get_close_matches(path.name, beside, n=2)
    return [*catalog.near(named, known), *(str(path.with_name(name)) for name in close)][:3]


def checkpoint_of(name: str, called: str) -> tuple[str, dict[str, str]]:
    """Return where a model is loaded from, and the GGUF file in there, if it is one.

    A path that leads nowhere is named at once; the Hub would be asked for minutes and then called unreachable.

    Args:
        name: a folder, a GGUF file, a folder that holds one, or a name on the Hub.
        called: what messages call it, `model` or `judge`.

    Raises:
        UnknownTarget: for a path at which there is no model.

    >>> checkpoint_of("meta-llama/Llama-3.1-8B-Instruct", "judge")
    ('meta-llama/Llama-3.1-8B-Instruct', {})
    """
    path = Path(name).expanduser()
    if path.is_dir():
        if any((path / one).is_file() for one in ("config.json", "adapter_config.json")):
            return str(path), {}
        weights = sorted(file.name for file in path.glob("*.gguf"))
        if len(weights) == 1:
            return str(path), {"gguf_file": weights[0]}
        found = (
            f"{len(weights)} GGUF files; name one of {weights[:5]}" if weights else "no config.json"
        )
        raise UnknownTarget(
            f"{called} {name!r} is a folder with {found}; give that of a checkpoint"
        )
    if path.is_file():
        if path.suffix.lower() == ".gguf":
            return str(path.parent), {"gguf_file": path.name}
        raise UnknownTarget(
            f"{called} {name!r} is a file, not a checkpoint's folder or a GGUF file"
        )
    beside = path.parent != Path() and path.parent.is_dir()
    if beside or name[:1] in "./~" or name.count("/") > 1 or path.suffix.lower() == ".gguf":
        close = near(name, ())
        hint = f"; did you mean {' or '.join(map(repr, close))}?" if close else ""
        raise UnknownTarget(
            f"there is no {called} at {name!r}{hint}; give a folder or owner/name on the Hub"
        )
    return name, {}


@contextmanager
def loading(name: str, called: str) -> Iterator[None]:
    """Name the model in what transformers says of one that cannot be loaded.

    Raises:
        MissingFile: for any error of a file or a connection.

    >>> with loading("org/model", "judge"):
    ...     raise OSError("We couldn't connect.\\nCheck your connection.")
    Traceback (most recent call last):
    t2vid.errors.MissingFile: judge 'org/model' cannot be loaded: We couldn't connect.
    """
    try:
        yield
    except OSError as error:
        said = next(iter(str(error).splitlines()), type(error).__name__)
        raise MissingFile(f"{called} {name!r} cannot be loaded: {said}") from error


def _listed(accept: Sequence[TargetKind]) -> str:
    parts = [words for kind, words in _ARE.items() if kind in accept]
    return " or ".join(filter(None, [", ".join(parts[:-1]), parts[-1]]))


def _inside(target: Target) -> str:
    """Say what a folder would have to hold, where it is none that t2vid knows."""
    if target.kind != "folder":
        return ""
    return (
        " (it holds no manifest.json of t2vid build, no state.json of save_to_disk, no run.json of an "
        "evaluation and no file of rows)"
    )
