"""A mix, stated: sources with their counts, filters and specs, a token budget, a seed.

>>> recipe = Recipe.from_yaml("hybrid-30k")
>>> [(source.name, source.count) for source in recipe.sources][-1]
('longqlora', 5000)
>>> Recipe.from_dict(recipe.to_dict()) == recipe
True

The hash covers every field, so two mixes with one hash were asked for in the same words.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

from t2vid import catalog, samples, targets
from t2vid.configuration import check_kinds, read_yaml
from t2vid.errors import InputError, MissingFile, kind_of
from t2vid.mixing.budget import Budget, Policy
from t2vid.mixing.plan import RowPlan
from t2vid.mixing.source import Filters, Source, check_whole, known_fields
from t2vid.storage.files import AnyPath, PathLike, path_of

__all__ = ["Filters", "Recipe", "Source", "shipped"]


@dataclass(frozen=True)
class Recipe:
    """A mix that anyone can rebuild from the same files.

    Args:
        name: what the mix is called.
        sources: what it is made of.
        rows: rows in all; needed where a source has a share.
        seed: of the choice of rows and of their order.
        budget: what a row may cost; None is no limit.
        over_budget: what becomes of a row that costs more: `drop`; `fewer_frames` takes fewer frames
            of a video and the leading pages of a text; `denser_text` draws a text smaller, down to
            12 px; `split` makes several rows of it; `error` stops.
        remix: a new order of rows each epoch.

    Raises:
        InputError: for a value out of range.
    """

    name: str
    sources: tuple[Source, ...]
    rows: int | None = None
    seed: int = 0
    budget: Budget = Budget()  # noqa: RUF009  frozen
    over_budget: Policy = "drop"
    remix: bool = True

    # `t2vid.mixing` attaches it: what builds a mix knows the recipe, and not the other way round.
    build: ClassVar[Callable[..., Any]]

    def __post_init__(self) -> None:
        """Check the values."""
        if not self.sources:
            raise InputError(f"recipe {self.name!r} has no sources")
        check_whole("rows", self.rows, least=1)
        check_whole("seed", self.seed)
        check_kinds(self)
        names = [source.name for source in self.sources]
        if len(set(names)) < len(names):
            raise InputError(f"names of sources {names} must differ; give each a name")
        self._check_shares()

    def _check_shares(self) -> None:
        """Refuse shares and weights that do not make the rows that are asked for."""
        shares = {s.name: s.share for s in self.sources if s.share is not None}
        weighted = any(s.weight is not None for s in self.sources)
        if (shares or weighted) and self.rows is None:
            raise InputError("a source with a share or a weight needs rows, the number to share")
        if sum(shares.values()) > 1 + 1e-9:
            raise InputError(f"shares {shares} add up to {sum(shares.values()):.3f}, more than 1")
        wanted = self.wanted()
        if self.rows is None or None in wanted:
            return
        total = sum(n for n in wanted if n is not None)
        if total != self.rows:
            by_name = {s.name: n for s, n in zip(self.sources, wanted, strict=True)}
            raise InputError(
                f"the sources take {total:,} rows, {by_name}, and rows is {self.rows:,}: make the "
                "shares add up to 1, or state weights instead"
            )

    def wanted(self) -> list[int | None]:
        """Give the rows to take of each source; None is all of them.

        Shares and weights are rounded so that they add up (largest remainder first).
        """
        rows = self.rows or 0
        free = rows - sum(s.count or (s.share or 0) * rows for s in self.sources)
        weights = sum(s.weight or 0 for s in self.sources)
        exact = [
            (s.share or 0) * rows if s.weight is None else max(0.0, free) * s.weight / weights
            for s in self.sources
        ]
        counts = [int(rows + 1e-9) for rows in exact]
        left = round(sum(exact)) - sum(counts)
        by_remainder = sorted(range(len(exact)), key=lambda i: counts[i] - exact[i])
        for i in by_remainder[:left]:
            counts[i] += 1
        return [
            source.count if source.share is None and source.weight is None else counts[i]
            for i, source in enumerate(self.sources)
        ]

    @property
    def is_weighted(self) -> bool:
        """True where turns of some source may say whether they are trained on."""
        return any(source.is_weighted for source in self.sources)

    def row_plan(self, n_rows: int) -> RowPlan:
        """Give the order of the rows of a mix of `n_rows` rows, for training."""
        return RowPlan(n_rows, seed=self.seed, remix=self.remix)

    def folder(self, data: PathLike | None) -> AnyPath:
        """Give the folder of its data; a recipe of the bundled samples needs none to be named.

        Raises:
            MissingFile: when there is none.
        """
        if data is not None:
            return path_of(data)
        alone = (s.is_bundled or (s.is_outside and not s.shows_media) for s in self.sources)
        if all(alone):
            return samples.ROOT
        raise MissingFile(
            f"recipe {self.name!r} needs the folder of its annotation files and videos: "
            "--data, data= or data_dir="
        )

    def for_family(self, family: str) -> Recipe:
        """Give the same mix for another model family: its budget, and its frames of a video.

        Args:
            family: one of the paper's: `"minicpm"`, `"idefics3"` or `"internvl"`.
        """
        known = catalog.paper_family(family)
        budget = Budget.preset(known.name, tokenizer=self.budget.tokenizer)
        return dataclasses.replace(self.with_max_frames(known.video_frames), budget=budget)

    def with_max_frames(self, max_frames: int) -> Recipe:
        """Give the same mix with at most so many frames of a video."""
        sources = tuple(
            dataclasses.replace(s, sample=dataclasses.replace(s.sample, max_frames=max_frames))
            if s.shows_media
            else s
            for s in self.sources
        )
        return dataclasses.replace(self, sources=sources)

    def to_dict(self) -> dict[str, Any]:
        """Give every field, defaults included, as plain JSON values."""
        value = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        value["sources"] = [source.to_dict() for source in self.sources]
        value["budget"] = self.budget.to_dict()
        return value

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Self:
        """Build from a mapping; `budget` may be the name of a preset, or fields beside `preset`."""
        value = known_fields(cls, value)
        given = value["sources"] or ()
        if not isinstance(given, list | tuple):
            raise InputError(f"sources must be a list, each item with its -, not {kind_of(given)}")
        sources = tuple(s if isinstance(s, Source) else Source.from_dict(s) for s in given)
        budget = value.get("budget") or {}
        if not isinstance(budget, Budget):
            if not isinstance(budget, str | Mapping):
                raise InputError(
                    f"budget ({budget!r}) must be a preset's name, or fields of Budget"
                )
            budget = {"preset": budget} if isinstance(budget, str) else dict(budget)
            preset = budget.pop("preset", None)
            budget = Budget.preset(preset, **budget) if preset else Budget.from_dict(budget)
        return cls(**{**value, "sources": sources, "budget": budget})

    def to_yaml(self) -> str:
        """Give the fields that are not defaults as YAML, as one would write them."""
        import yaml

        value = _without_defaults(self.to_dict(), Recipe("", (Source("t2vid/sharegemini"),)))
        blank = Source("t2vid/sharegemini", name="-").to_dict()
        value["sources"] = [
            {"dataset": s.dataset} | {k: v for k, v in s.to_dict().items() if v != blank[k]}
            for s in self.sources
        ]
        return yaml.safe_dump(value, sort_keys=False, allow_unicode=True)

    @classmethod
    def from_yaml(cls, source: str | Path) -> Self:
        """Read a recipe.

        Args:
            source: path of a YAML file, the name of a shipped recipe, the folder of a built mix, or
                YAML text with a newline.

        Raises:
            UnknownTarget: when there is neither such a file nor such a recipe; names what is near.
            InputError: when the YAML is no recipe.
        """
        name = str(source) if "\n" not in str(source) else f"{str(source)!r:.80}"
        value = read_yaml(_found(source), name)
        if not isinstance(value, dict):
            raise InputError(f"{name} holds no recipe: fields of Recipe are needed")
        return cls.from_dict(value)

    @property
    def hash(self) -> str:
        """Sixteen hexadecimal digits that change with any field."""
        line = json.dumps(self.to_dict(), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(line.encode()).hexdigest()[:16]


def shipped() -> list[str]:
    """Name the recipes of this package."""
    return [recipe.name for recipe in catalog.recipes("mix")]


def _found(source: str | Path) -> str | Path:
    if isinstance(source, str) and "\n" in source:
        return source
    if Path(source).is_file():
        return Path(source)
    found = targets.find(source, ("recipe", "mix"), by="a mix").folder
    # a mix that was built holds the recipe that it was built of
    return found / "recipe.yaml" if found.is_dir() else found


def _without_defaults(value: dict[str, Any], blank: Recipe) -> dict[str, Any]:
    defaults = blank.to_dict()
    kept = {k: v for k, v in value.items() if k == "name" or v != defaults[k]}
    if "budget" in kept:
        kept["budget"] = {k: v for k, v in kept["budget"].items() if v != defaults["budget"][k]}
    return kept
