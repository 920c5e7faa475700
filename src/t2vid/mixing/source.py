"""One source of a mix, stated: which rows, how many, how they are read, drawn and filtered.

>>> Source("talk.jsonl", layout="messages").name, Source("t2vid/rows", files=("a.json",)).name
('talk', 'rows')
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import PurePath
from typing import Any, Literal, Self

from t2vid import catalog
from t2vid.configuration import FrozenConfig, check_kinds
from t2vid.corpora.layouts import LAYOUTS, ROW_KEYS
from t2vid.corpora.rows import check_columns
from t2vid.corpora.triplets import KEYS
from t2vid.errors import InputError, UnsafePath
from t2vid.frames.spec import RenderSpec, SampleSpec
from t2vid.storage import records

Form = Literal["frames", "text"]
Pick = Literal["random", "diverse"]
DOCUMENT = "document"  # the layout of long texts that stand in what a user says


@dataclass(frozen=True)
class Filters(FrozenConfig):
    """Which rows of a source may enter; None lets all in, every limit is inclusive.

    Args:
        min_words: words of the text, or of the turns of a video row.
        max_words: the same from above.
        max_question_words: words of the question, by the paper's count.
        min_frames: frames of the row.
        max_frames: the same from above.
        unique: refuse a row whose text or video, question and answer came before.
        pick: which of the rows that may enter are taken where fewer are wanted: `random` ones, or
            `diverse`, those whose instructions lie farthest apart (`t2vid.mixing.coverage`). The
            latter has to measure every row of the corpus.

    Raises:
        InputError: for an unknown `pick`.
    """

    min_words: int | None = None
    max_words: int | None = None
    max_question_words: int | None = None
    min_frames: int | None = None
    max_frames: int | None = None
    unique: bool = False
    pick: Pick = "random"

    def __post_init__(self) -> None:
        """Check the limits and the rule."""
        check_kinds(self, of="filters")
        for name in ("words", "frames"):
            low, high = getattr(self, f"min_{name}"), getattr(self, f"max_{name}")
            if None not in (low, high) and low > high:
                raise InputError(f"min_{name} ({low}) is over max_{name} ({high}): no row fits")


@dataclass(frozen=True)
class Source:
    """One source of a mix.

    Args:
        dataset: of a corpus of `t2vid list corpora`: `t2vid/synthetic`, `t2vid/sharegemini`,
            `t2vid/rows` …; or any other set: `owner/name` on the Hub, a folder or a file of rows
            (below the data folder, or absolute), another mix.
        config: for `t2vid/synthetic` the name of the corpus; `sample` is the bundled texts, and for
            `t2vid/sharegemini` the bundled clips, which have its form; else of the set.
        name: its name in the mix; the config or the end of the dataset's name by default.
        count: rows to take; None with no `share` takes all.
        share: rows to take as a part of the recipe's `rows`, 0 to 1; YAML may say `1/3`.
        weight: rows to take in proportion to the other weights, of those `rows` that counts and
            shares leave.
        files: annotation files below the data folder, patterns allowed; the public names by default.
        form: `text` gives the context as text before the question, without frames.
        judge_as: the form that filters and budget look at, where it is not `form`: the paper's
            pure-text arm holds the texts that were chosen for their frames.
        render: how texts are drawn.
        sample: which frames of a video are taken.
        filters: which rows may enter.
        columns: what the file calls context, question and answer of a text, or the keys of a row's
            layout; with `context` the rows are long texts.
        layout: of rows, by name; "" finds it by each row's keys. `document` takes the longest part
            of what the user says for a long text.
        question: asked where a row has a text or a caption, an answer, and no question.
        split: of a set that is not of this package; `train` by default, or the only one.
        revision: of a set on the Hub: a branch, a tag or a commit; "" is `main`.
        strict: refuse documents that hold an end marker themselves.

    Raises:
        InputError: for a value out of range.
    """

    dataset: str
    config: str = ""
    name: str = ""
    count: int | None = None
    share: float | None = None
    weight: float | None = None
    files: tuple[str, ...] = ()
    form: Form = "frames"
    judge_as: Form | None = None
    render: RenderSpec = RenderSpec()  # noqa: RUF009  frozen
    sample: SampleSpec = SampleSpec()  # noqa: RUF009  frozen
    filters: Filters = Filters()  # noqa: RUF009  frozen
    columns: Mapping[str, str] = field(default_factory=dict)
    strict: bool = False
    layout: str = ""
    question: str = ""
    split: str = ""
    revision: str = ""

    def __post_init__(self) -> None:
        """Check the values and fill in the name."""
        if not isinstance(self.dataset, str):
            raise InputError(f"dataset ({self.dataset!r}) of a source must be a name or a path")
        check_kinds(self, of=str(self.name or self.dataset))
        if not self.is_outside:
            entry = catalog.corpus_of(self.dataset, self.config)
            object.__setattr__(self, "dataset", entry.dataset)
            object.__setattr__(self, "config", entry.config)
        if not self.name:
            last = PurePath(self.dataset) if self.is_outside else PurePath()
            last_name = last.stem if last.suffix in records.SUFFIXES else last.name
            name = last_name or self.config or self.dataset.rpartition("/")[2]
            object.__setattr__(self, "name", name)
        self._check_reading()
        check_whole(f"{self.name}: count", self.count, least=1)
        for limit in dataclasses.fields(self.filters):
            if limit.name.startswith(("min_", "max_")):
                check_whole(f"{self.name}: {limit.name}", getattr(self.filters, limit.name))
        for file in self.files:
            if PurePath(file).is_absolute() or ".." in PurePath(file).parts:
                raise UnsafePath(
                    f"{self.name}: file {file!r} leaves the data folder; name files below it"
                )
        sizes = {name: getattr(self, name) for name in ("count", "share", "weight")}
        given = {name: size for name, size in sizes.items() if size is not None}
        if len(given) > 1:
            raise InputError(f"{self.name}: give one of {given}")
        if self.weight is not None and not (_is_number(self.weight) and 0 < self.weight < 1e9):
            raise InputError(f"{self.name}: weight ({self.weight!r}) must be a number > 0")
        if self.share is not None and not (_is_number(self.share) and 0 < self.share <= 1):
            raise InputError(f"{self.name}: share ({self.share!r}) must be > 0 and at most 1")
        if self.form == "text" and self.shows_media:
            raise InputError(f"{self.name}: only a text can be given as text; use form='frames'")

    def _check_reading(self) -> None:
        """Check what says which rows are read, and how."""
        if self.is_outside and not ("/" in self.dataset or self.dataset.endswith(records.SUFFIXES)):
            names = {one.dataset for one in catalog.CORPORA if one.converter}
            error = catalog.unknown("dataset", self.dataset, names)
            raise InputError(f"{error}; a folder below the data is written './{self.dataset}'")
        if self.layout and self.layout not in (*LAYOUTS, "trl", DOCUMENT):
            raise catalog.unknown("layout", self.layout, [*LAYOUTS, "trl", DOCUMENT])
        if not self.is_outside and (self.split or self.revision):
            raise InputError(
                f"{self.name}: split and revision are of a set that is not t2vid's own"
            )
        options = self.entry.options
        for name in ("layout", "columns", "question"):
            if (
                getattr(self, name)
                and name not in options
                and not (name == "layout" and self.is_any)
            ):
                raise InputError(f"{self.name}: {name} has no meaning for {self.entry.dataset}")
        if "columns" in options:
            check_columns(self.columns, KEYS if self.entry.kind == "text" else ROW_KEYS)

    @property
    def is_outside(self) -> bool:
        """True for a set that is no corpus of this package: on the Hub, in a folder, another mix."""
        return not self.dataset.startswith("t2vid/") or self.dataset == "t2vid/mix"

    @property
    def is_any(self) -> bool:
        """True where the rows may be of any kind, so that the source says how they are read."""
        return self.dataset == "t2vid/rows" or (self.is_outside and self._public is None)

    @property
    def _public(self) -> catalog.Corpus | None:
        """The corpus that is known under the name that its set has on the Hub."""
        known = (c for c in catalog.CORPORA if c.converter and self.dataset in c.aliases)
        return None if self.layout or self.columns else next(known, None)

    @functools.cached_property
    def entry(self) -> catalog.Corpus:
        """What the catalogue says of its corpus; for rows of any kind, how they are read."""
        plainly = self.dataset == "t2vid/rows" and self.layout != DOCUMENT
        if not self.is_any or (plainly and "context" not in self.columns):
            return self._public or catalog.corpus_of(self.dataset, self.config)
        options: tuple[str, ...]
        if "context" in self.columns:
            reader, options = "triplets", ("columns", "question")
        elif self.layout == DOCUMENT:
            reader, options = "documents", ("question",)
        else:
            reader, options = "rows", ("layout", "columns", "question")
        return catalog.Corpus(
            self.name,
            "rows" if reader == "rows" else "text",
            "rows of any kind",
            converter=f"t2vid.corpora.{reader}",
            dataset=self.dataset,
            config=self.config,
            options=options,
        )

    @property
    def is_video(self) -> bool:
        """True for a source of videos."""
        return self.entry.kind == "video"

    @property
    def shows_media(self) -> bool:
        """True for a source of videos, or of rows with any media."""
        return self.entry.kind != "text"

    @property
    def is_bundled(self) -> bool:
        """True for the texts and the clips that this package brings."""
        return self.entry.bundled and not self.files

    @property
    def corpus(self) -> str:
        """Name of the corpus that its licence is known by; "" for files of somebody's own."""
        if self.is_any:
            return ""
        return self.entry.name if self.is_bundled or not self.entry.bundled else ""

    @property
    def is_weighted(self) -> bool:
        """True where turns may say whether they are trained on."""
        return self.entry.kind == "rows"

    def to_dict(self) -> dict[str, Any]:
        """Give every field as plain JSON values."""
        value = dataclasses.asdict(self)
        return {**value, "files": list(self.files), "columns": dict(self.columns)}

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Self:
        """Build from a mapping; `render` may be the name of a preset."""
        value = known_fields(cls, value)
        files = value.get("files", ())
        if isinstance(files, str | list):
            value["files"] = (files,) if isinstance(files, str) else tuple(files)
        for name in ("share", "weight"):
            if isinstance(value.get(name), str):
                value[name] = _fraction(name, value[name])
        for name, spec in (("render", RenderSpec), ("sample", SampleSpec), ("filters", Filters)):
            if name in value:
                value[name] = spec.from_value(value[name])
        return cls(**value)


def known_fields(cls: Any, value: Mapping[str, Any]) -> dict[str, Any]:
    """Take the fields of a class from a mapping.

    Raises:
        InputError: for an unknown field, or a missing one.
    """
    names = [f.name for f in dataclasses.fields(cls)]
    if not isinstance(value, Mapping):
        raise InputError(f"{cls.__name__} is a mapping of {names}, not {value!r}")
    if unknown := sorted(set(value) - set(names)):
        raise InputError(f"{cls.__name__} has no field {unknown}; its fields are {names}")
    blank = dataclasses.MISSING
    needed = [f.name for f in dataclasses.fields(cls) if f.default is f.default_factory is blank]
    if missing := [name for name in needed if name not in value]:
        raise InputError(f"a {cls.__name__} needs {' and '.join(missing)}; this has {list(value)}")
    return dict(value)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def check_whole(name: str, value: object, *, least: int = 0) -> None:
    """Refuse what is no whole number of at least so many; None passes.

    Raises:
        InputError: naming it.
    """
    whole = isinstance(value, int) and not isinstance(value, bool)
    if value is not None and not (whole and value >= least):  # type: ignore[operator]
        raise InputError(f"{name} ({value!r}) must be a whole number, {least} or more")


def _fraction(name: str, value: str) -> float:
    try:
        return float(Fraction(value))  # 1/3 has no decimals
    except (ValueError, ZeroDivisionError):
        raise InputError(f"{name} ({value!r}) must be a number or a fraction such as 1/3") from None
