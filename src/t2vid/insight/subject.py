"""What a report is about: a built mix, a saved dataset, a name that loads, or a recipe with data.

from t2vid.insight.subject import subject_of
subject_of("t2vid/mix", "sample").name      # 't2vid/mix sample'
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from t2vid.corpora.counting import read_counts
from t2vid.mixing.opening import open_rows
from t2vid.mixing.recipe import Recipe
from t2vid.schema import Counts
from t2vid.targets import ROWS, Target, find

if TYPE_CHECKING:
    from t2vid.mixing.overlap import Overlap


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
        from t2vid.corpora.licences import is_bundled

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


def subject_of(
    what: Any,
    config: str | None = None,
    *,
    data: str | Path | None = None,
    by: str = "report",
) -> Subject:
    """Find out what is meant and load it.

    Args:
        what: a `Dataset`; the folder of a built mix or of `save_to_disk`; a name for
            `load_dataset`, the Hub's included; a `Recipe`, the name of a shipped one or a YAML file.
        config: of a name for `load_dataset`.
        data: folder of annotation files and videos.
        by: who asks, for errors.

    Raises:
        InputError: when it is none of these, naming what was tried.
        MissingFile: when a recipe comes without its data.
    """
    if isinstance(what, Recipe):
        return _of_recipe(what, Target("t2vid/mix", "dataset", "t2vid/mix"), data)
    if not isinstance(what, str | Path):
        return Subject("dataset", next(iter(what.values())) if isinstance(what, Mapping) else what)
    target = find(what, ROWS, by=by)
    if target.kind == "mix":
        return _of_mix(target, data)
    if target.kind == "recipe":
        return _of_recipe(Recipe.from_yaml(target.folder), target, data)
    if target.name == "t2vid/mix":
        recipe = find(config or "sample", ("recipe",), by="t2vid/mix")
        return _of_recipe(Recipe.from_yaml(recipe.folder), recipe, data, name="t2vid/mix")
    name = target.folder.resolve().name if target.kind in ("saved", "rows") else target.name
    title = " ".join(filter(None, [name, config]))
    return Subject(title, open_rows(target, config=config, data=data))


def _of_mix(target: Target, data: str | Path | None) -> Subject:
    folder = target.folder
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    counts = Counts.from_dict(json.loads((folder / "counts.json").read_text(encoding="utf-8")))
    recipe = Recipe.from_yaml(folder / "recipe.yaml")
    facts = {
        "mix, SHA-256": manifest["sha256"],
        "recipe hash": manifest["recipe_hash"],
        "bytes of the shards": f"{manifest['bytes']:,}",
        **{f"{name}, SHA-256": digest for name, digest in manifest["inputs"].items()},
    }
    dataset = open_rows(target, data=data)
    return Subject(recipe.name, dataset, recipe, counts, manifest["sha256"], folder, facts)


def _of_recipe(
    recipe: Recipe, target: Target, data: str | Path | None, *, name: str = ""
) -> Subject:
    dataset = open_rows(target, data=data, config="sample", recipe=recipe)
    title = " ".join(filter(None, [name, recipe.name]))
    facts = {"recipe hash": recipe.hash}
    return Subject(title, dataset, recipe, read_counts(dataset), facts=facts)
