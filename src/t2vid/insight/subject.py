"""What a report is about: a built mix, a saved dataset, a name that loads, or a recipe with data.

from t2vid.insight.subject import subject_of
subject_of("t2vid/mix", "sample").name      # 't2vid/mix sample'
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from t2vid.errors import InputError, MissingFile, T2VidError
from t2vid.mixing.recipe import Recipe, shipped
from t2vid.registry import DATASETS
from t2vid.schema import Counts

if TYPE_CHECKING:
    from t2vid.mixing.overlap import Overlap

_REPO = re.compile(r"[\w.-]+/[\w.-]+")


@dataclass(frozen=True)
class Subject:
    """A dataset and what is known of how it was made.

    Attributes:
        name: what the page calls it.
        dataset: its rows.
        recipe: the recipe, where there is one.
        counts: what making it dropped.
        sha256: of its shards, for a built mix.
        folder: of a built mix.
        facts: further facts about how it was made, by name.
    """

    name: str
    dataset: Any
    recipe: Recipe | None = None
    counts: Counts | None = None
    sha256: str = ""
    folder: Path | None = None
    facts: Mapping[str, str] = field(default_factory=dict)

    def corpora(self, sources: list[str]) -> dict[str, str]:
        """Give the corpus behind each source, to find its licence."""
        from t2vid.publishing.licences import is_bundled

        if is_bundled(getattr(self.dataset, "info", None)):
            return dict.fromkeys(sources, "sample")
        known = self.recipe.sources if self.recipe is not None else ()
        return {source.name: source.corpus for source in known}

    def overlap(self, sketches: list[Any], benchmarks: Mapping[str, str | Path]) -> Overlap:
        """Find what repeats in it, and what it shares with benchmarks.

        Args:
            sketches: of its rows; a built mix has its own.
            benchmarks: files of questions by name.
        """
        from t2vid.mixing import overlap
        from t2vid.mixing.shards import BuildPlan
        from t2vid.mixing.shards import sketches as saved

        if self.folder is None:
            return overlap.find([overlap.arrays(sketches)] if sketches else [], benchmarks)
        return overlap.find(saved(self.folder, BuildPlan.load(self.folder)), benchmarks)


def subject_of(what: Any, config: str | None = None, *, data: str | Path | None = None) -> Subject:
    """Find out what is meant and load it.

    Args:
        what: a `Dataset`; the folder of a built mix or of `save_to_disk`; a name for
            `load_dataset`, the Hub's included; a `Recipe`, the name of a shipped one or a YAML file.
        config: of a name for `load_dataset`.
        data: folder of annotation files and videos.

    Raises:
        InputError: when it is none of these, naming what was tried.
        MissingFile: when a recipe comes without its data.
    """
    if isinstance(what, Recipe):
        return _of_recipe(what, data)
    if not isinstance(what, str | Path):
        return Subject("dataset", _one_split(what))
    path, name = Path(what), str(what)
    if path.is_dir():
        return _of_folder(path, data)
    if name.endswith((".yaml", ".yml")) or (name in shipped() and config is None):
        return _of_recipe(Recipe.from_yaml(name), data)
    if name == "t2vid/mix":
        return _of_recipe(Recipe.from_yaml(config or "sample"), data, name=name)
    misspelt = (
        path.parent.is_dir() and str(path.parent) != "."
    )  # a folder beside others, not a name
    if name in DATASETS or (_REPO.fullmatch(name) and not misspelt):
        return Subject(" ".join(filter(None, [name, config])), _loaded(name, config, data))
    raise _unknown(name)


def _unknown(name: str, why: str = "") -> InputError:
    return InputError(
        f"{name!r} is nothing to report{why}: give folders of evaluations (with run.json), a mix of "
        f"t2vid build, a folder of save_to_disk, a name for load_dataset such as {sorted(DATASETS)} "
        f"or one of the Hub, or a recipe with --data: a YAML file or one of {shipped()}"
    )


def _of_folder(folder: Path, data: str | Path | None) -> Subject:
    from datasets import load_from_disk

    if (folder / "manifest.json").is_file():
        return _of_mix(folder, data)
    if (folder / "state.json").is_file() or (folder / "dataset_dict.json").is_file():
        return Subject(folder.resolve().name, _one_split(load_from_disk(str(folder))))
    if (folder / ".work" / "plan.json").is_file():
        raise MissingFile(f"{folder} holds an unfinished mix; run t2vid build again, it goes on")
    raise _unknown(str(folder), " (a folder without run.json, manifest.json or state.json)")


def _of_mix(folder: Path, data: str | Path | None) -> Subject:
    from t2vid.mixing.build import load

    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    counts = Counts.from_dict(json.loads((folder / "counts.json").read_text(encoding="utf-8")))
    recipe = Recipe.from_yaml(folder / "recipe.yaml")
    facts = {
        "mix, SHA-256": manifest["sha256"],
        "recipe hash": manifest["recipe_hash"],
        "bytes of the shards": f"{manifest['bytes']:,}",
        **{f"{name}, SHA-256": digest for name, digest in manifest["inputs"].items()},
    }
    dataset = load(folder, data=data)
    return Subject(recipe.name, dataset, recipe, counts, manifest["sha256"], folder, facts)


def _of_recipe(recipe: Recipe, data: str | Path | None, *, name: str = "") -> Subject:
    from datasets import load_dataset_builder

    from t2vid.corpora.counting import read_counts

    given = {} if data is None else {"data_dir": str(data)}
    builder = load_dataset_builder("t2vid/mix", "sample", recipe=recipe, **given)
    builder.download_and_prepare()
    dataset = builder.as_dataset(split="train")
    counts = read_counts(dataset)  # the builder knows them only where the rows were not cached
    title = " ".join(filter(None, [name, recipe.name]))
    return Subject(title, dataset, recipe, counts, facts={"recipe hash": recipe.hash})


def _loaded(name: str, config: str | None, data: str | Path | None) -> Any:
    from datasets import load_dataset

    given = {} if data is None else {"data_dir": str(data)}
    try:
        return _one_split(load_dataset(name, config, **given))
    except T2VidError:
        raise
    # what an unknown repository, a wrong config and a Hub out of reach raise
    except (OSError, ValueError) as error:
        first = str(error).strip().partition("\n")[0]
        raise _unknown(name, f" ({type(error).__name__}: {first})") from error


def _one_split(dataset: Any) -> Any:
    if not isinstance(dataset, Mapping):
        return dataset
    return dataset["train"] if "train" in dataset else next(iter(dataset.values()))
