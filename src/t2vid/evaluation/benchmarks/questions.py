r"""What every benchmark becomes: a `Question` with options, a letter, and where its video is.

>>> question, options = split_options("Which way?\nA. left\nB. right\nPick one.")
>>> question, list(options.values())
('Which way?', ['left', 'right'])
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from t2vid.frames.feature import video_value
from t2vid.frames.spec import SampleSpec
from t2vid.schema import Counts
from t2vid.storage.files import PathLike
from t2vid.storage.records import BadRow
from t2vid.storage.videos import VideoFolder

LETTERS = "ABCDEFGHIJ"
# T2Vid, evaluation scripts: the sentence after the options, in every one of its question files
T2VID_SUFFIX = "Answer with the option's letter from the given choices directly."

Style = Literal["choice", "yes_no", "matching", "caption"]

OPTION = re.compile(r"\s*\(?([A-J])[.)]\s*(\S.*)")  # a line of a list of options


@dataclass(frozen=True)
class Cue:
    """A subtitle and when it is shown, in seconds."""

    start_s: float
    end_s: float
    text: str


@dataclass(frozen=True)
class Question:
    """One question of a benchmark.

    Attributes:
        id: unique in the benchmark; the answers are stored under it.
        source: name of the benchmark.
        video: path of its video inside the benchmark's video folder.
        question: without the options.
        options: texts without letters, in order.
        answer: the right letter.
        category: the group of the benchmark's own table.
        duration: `short`, `medium` or `long`, where the benchmark says so.
        style: how it is asked: `choice` lists lettered options, `yes_no` and `matching` are
            TempCompass's, `caption` asks for a caption that a judge reads.
        labels: how an answer may name each option, where that is not by letter.
        instruction: what `caption` shows in place of the question.
        start_s: where the part asked about begins, in seconds.
        end_s: where it ends.
        cues: subtitles of the whole video.
        official: the benchmark's own record, for files in its own layout.
    """

    id: str
    source: str
    video: str
    question: str
    options: tuple[str, ...]
    answer: str
    category: str
    duration: str | None = None
    style: Style = "choice"
    labels: tuple[str, ...] = ()
    instruction: str | None = None
    start_s: float | None = None
    end_s: float | None = None
    cues: tuple[Cue, ...] = ()
    official: Mapping[str, Any] = field(default_factory=dict)

    def row(self, path: str | None, spec: SampleSpec) -> dict[str, Any]:
        """Give the row of the builder.

        Args:
            path: where the video is; None gives a row without frames.
            spec: how it is sampled; the bounds of the question are added.
        """
        bounded = _bounded(spec, self.start_s, self.end_s)
        return {
            "id": self.id,
            "source": self.source,
            "images": None if path is None else video_value(path, bounded),
            "question": self.question,
            "options": list(self.options),
            "answer": self.answer,
            "category": self.category,
            "duration": self.duration,
            "video": self.video,
            "style": self.style,
            "labels": list(self.labels),
            "instruction": self.instruction,
            "subtitles": [
                {"start_s": cue.start_s, "end_s": cue.end_s, "text": cue.text} for cue in self.cues
            ],
            "official": json.dumps(self.official, ensure_ascii=False),
        }


def features(images: Any) -> Any:
    """Give the `datasets.Features` of a benchmark, the same for all, so that they concatenate.

    Args:
        images: the feature of the frames column, usually `t2vid.Frames()`.
    """
    from datasets import Features, List, Value

    text = Value("string")
    names = ("question", "answer", "category", "duration", "video", "style")
    return Features(
        {
            "id": text,
            "source": text,
            "images": images,
            **dict.fromkeys(names, text),
            "options": List(text),
            "labels": List(text),
            "instruction": text,
            "subtitles": List(
                {"start_s": Value("float64"), "end_s": Value("float64"), "text": text}
            ),
            "official": text,
        }
    )


def split_options(prompt: str) -> tuple[str, dict[str, str]]:
    r"""Take a prompt apart into the question and its lettered lines, leaving out what follows.

    A line counts only with the next letter, so that two options under one letter (as in two rows
    of T2Vid's TempCompass file, the first of them glued to the question) lose none.

    >>> split_options("Order?A. x then y\nA. y then x\nB. both")
    ('Order?A. x then y', {'A': 'y then x', 'B': 'both'})
    """
    lines = prompt.split("\n")
    options: dict[str, str] = {}
    stem: list[str] = []
    for line in lines:
        match = OPTION.fullmatch(line)
        if match and match[1] == LETTERS[len(options) : len(options) + 1]:
            options[match[1]] = match[2].rstrip()
        elif not options:
            stem.append(line)
    return "\n".join(stem), options


def letter_of(answer: str, options: Sequence[str]) -> str | None:
    """Find the letter of an answer that is written out.

    >>> letter_of("A cup.", ["A box.", "a cup"])
    'B'
    """
    wanted = _plain(answer)
    for letter, option in zip(LETTERS, options, strict=False):
        if _plain(option) == wanted:
            return letter
    return None


def t2vid_questions(
    rows: Iterable[tuple[int, Any]], counts: Counts, *, source: str
) -> Iterator[Question]:
    """Convert T2Vid's own question files `{question_id, video, prompt, GT, category}`.

    Args:
        rows: `(row number, record)` pairs.
        counts: where unusable rows are counted.
        source: name of the benchmark.
    """
    for number, record in rows:
        name = f"{source} row {number:,}"
        if unusable(record, ("question_id", "video", "prompt", "GT"), name, counts, source):
            continue
        prompt = str(record["prompt"]).removesuffix(T2VID_SUFFIX)
        question, options = split_options(prompt)
        answer = str(record["GT"]).strip()
        if answer not in options:
            counts.drop("the answer is none of the options", source=source, example=name)
            continue
        yield Question(
            id=f"{source}/{record['question_id']}",
            source=source,
            video=str(record["video"]),
            question=question,
            options=tuple(options.values()),
            answer=answer,
            category=str(record.get("category") or ""),
            official=record,
        )


def unusable(
    record: Any, keys: Sequence[str], name: str, counts: Counts, source: str
) -> str | None:
    """Count a record that is no mapping or lacks a value; say why, None where it is usable."""
    if isinstance(record, BadRow):
        why = "no JSON"
    elif not isinstance(record, Mapping):
        why = "no object"
    else:
        bad = [key for key in keys if not _fits(key, record.get(key))]
        why = f"no usable {', '.join(bad)}" if bad else ""
    if why:
        counts.drop(why, source=source, example=name)
    return why or None


class Videos:
    """The video folder of a benchmark, in whatever layout its archives were unpacked.

    Args:
        root: the folder, path or URL; None finds nothing.
    """

    def __init__(self, root: PathLike | None) -> None:
        self.folder = None if root is None else VideoFolder.scan(root, image_folders=True)

    def find(self, name: str, *folders: str) -> str | None:
        """Find a video by its path in the benchmark; None where it is not there.

        Of two with one name elsewhere none is taken: a guess would be scored as if it were the video.

        Args:
            name: path inside the folder; a missing or another suffix is tried too.
            *folders: places to look in first.

        Raises:
            UnsafePath: for a name that leaves the folder.
        """
        if self.folder is None:
            return None
        found = self.folder.find(name, within=folders, unique=True)
        return str(found) if found else None


def _fits(key: str, value: Any) -> bool:
    if key in ("options", "candidates"):
        return isinstance(value, list) and bool(value) and all(_fits("", item) for item in value)
    return isinstance(value, str | int | float) and not isinstance(value, bool) and value != ""


def _bounded(spec: SampleSpec, start_s: float | None, end_s: float | None) -> SampleSpec:
    import dataclasses

    if start_s is None and end_s is None:
        return spec
    return dataclasses.replace(spec, start_s=start_s, end_s=end_s)


def _plain(text: str) -> str:
    return " ".join(text.split()).rstrip(".").casefold()
