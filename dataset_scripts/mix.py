"""`t2vid/mix`: long texts and videos in one training set, by a recipe.

Config `sample` mixes the bundled texts with the bundled clips; it needs no network.

    >>> import t2vid
    >>> from datasets import load_dataset
    >>> mix = load_dataset("t2vid/mix", "sample", split="train")
    >>> sorted(set(mix["source"]))
    ['clips', 'texts']

Every shipped recipe is a config: `load_dataset("t2vid/mix", "hybrid-30k", data_dir="data")`; your own
comes by `recipe=`. The rows are those of `t2vid build`, row for row.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import datasets

from t2vid import samples
from t2vid.corpora import counting
from t2vid.dataset_scripts.corpus import CorpusBuilder
from t2vid.errors import InputError
from t2vid.frames.feature import Frames
from t2vid.mixing.build import rooted
from t2vid.mixing.costs import media_folder
from t2vid.mixing.inputs import find_inputs
from t2vid.mixing.recipe import Recipe, shipped
from t2vid.mixing.shards import PlannedRows, make_plan
from t2vid.registry import writing_folder
from t2vid.schema import origin_feature, row_features
from t2vid.storage.files import AnyPath, path_of


@dataclass
class MixConfig(datasets.BuilderConfig):
    """Options of `t2vid/mix`; each changes the recipe.

    Args:
        recipe: a `Recipe`, a YAML file or the name of a shipped recipe; the config's name by default.
        seed: of the choice of rows and of their order.
        max_frames: at most so many frames of a video.
        family: `minicpm`, `idefics3` or `internvl`: its token budget and its frames of a video.
        files: set by the builder; changes with the annotation files and videos, so that no cache outlives them.
    """

    recipe: Recipe | str | None = None
    seed: int | None = None
    max_frames: int | None = None
    family: str | None = None
    files: str = ""

    def asked(self) -> Recipe:
        """Give the recipe with the options applied."""
        recipe = (
            self.recipe
            if isinstance(self.recipe, Recipe)
            else Recipe.from_yaml(self.recipe or self.name)
        )
        if self.family is not None:
            recipe = recipe.for_family(self.family)
        if self.seed is not None:
            recipe = dataclasses.replace(recipe, seed=self.seed)
        if self.max_frames is not None:
            recipe = recipe.with_max_frames(self.max_frames)
        return recipe


class Mix(CorpusBuilder):
    """Builder behind `load_dataset("t2vid/mix", …)`; `builder.counts` says what was dropped and why."""

    BUILDER_CONFIG_CLASS = MixConfig
    BUILDER_CONFIGS = [
        MixConfig(name=name, version=datasets.Version("2.0.0"), description=f"Recipe {name}.")
        for name in sorted(shipped(), key="sample".__ne__)
    ]
    DEFAULT_CONFIG_NAME = "sample"
    config: MixConfig

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Take what every builder of `datasets` takes but `data_files`."""
        if kwargs.get("data_files") is not None:
            raise InputError(
                "t2vid/mix takes no data_files=; its recipe names files below data_dir= "
                "(`files: [...]` of a source)"
            )
        if kwargs.get("data_dir") is not None:
            named = {k: kwargs[k] for k in ("recipe",) if k in kwargs}
            config = MixConfig(name=kwargs.get("config_name") or "sample", **named)
            kwargs.setdefault("files", _fingerprint(config.asked(), path_of(kwargs["data_dir"])))
        super().__init__(*args, **kwargs)

    def _info(self) -> datasets.DatasetInfo:
        sources = self.config.asked().sources
        brought = self.config.data_dir is None and all(source.is_bundled for source in sources)
        licence = samples.LICENCE if brought else ""
        weighted = self.config.asked().is_weighted
        features = row_features(Frames(), weighted=weighted, origin=origin_feature())
        return datasets.DatasetInfo(features=features, license=licence)

    def _split_generators(self, dl_manager: Any) -> list[datasets.SplitGenerator]:
        recipe = self.config.asked()
        plan, choices = make_plan(recipe, recipe.folder(self.config.data_dir))
        self._by_job["train", 0] = plan.counts
        counting.log_counts(f"t2vid/mix {recipe.name}", plan.counts)
        if not dl_manager.is_streaming:
            counting.write_counts(writing_folder(self), "counts-train-00000", plan.counts)
        rows = PlannedRows(plan, choices)
        # `num_proc` deals out the items of a list.
        shards = list(range(plan.n_shards))
        return [
            datasets.SplitGenerator(
                name=datasets.Split.TRAIN, gen_kwargs={"shards": shards, "rows": rows}
            )
        ]

    def _generate_examples(  # type: ignore[override]
        self, shards: list[int], rows: PlannedRows
    ) -> Iterator[tuple[str, dict[str, Any]]]:
        for shard in shards:
            for row, _ in rows.rows(shard):
                yield row["id"], row | {"images": rooted(row["images"], rows.plan.data)}


def _fingerprint(recipe: Recipe, data: AnyPath) -> str:
    state = [found for source in recipe.sources for found in find_inputs(source, data).versions()]
    folder = media_folder(recipe, data)
    return " ".join([*state, *([folder.state] if folder is not None else [])])
