"""What a model is shown and told for one question: pure functions of row, frames and protocol.

>>> row = {"question": "Which way?", "options": ["left", "right"], "style": "choice"}
>>> print(prompt_of(row, EvalConfig(prompt="{question} {options}")))
Which way? A. left
B. right
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any, Protocol

import numpy as np
from PIL import Image

from t2vid.catalog import official_prompt
from t2vid.errors import InputError
from t2vid.evaluation.benchmarks.questions import LETTERS, Cue
from t2vid.evaluation.benchmarks.subtitles import cues_around, cues_at
from t2vid.evaluation.compare import rotate
from t2vid.evaluation.config import GRID_HINT, SHEET_HINT, EvalConfig
from t2vid.frames.framelist import FrameList
from t2vid.frames.spec import SampleSpec
from t2vid.schema import FRAME_PX, messages

# TempCompass, run_qwen2_vl.py: the sentence after a question of each format
_YES_NO = "Please answer yes or no:"
_BEST = "Please directly give the best option:"
_KEPT = ("id", "source", "video", "category", "duration", "style", "question", "official")
_GRAY = (128, 128, 128)

SMALL_FRAMES = ("slow_fast", "prompt_guided")  # strategies that show some frames small
Key = tuple[str, int]  # id and rotation of a question


class Guide(Protocol):
    """Chooses, among the frames of one video, what is most like a question; see `guided.py`."""

    def pictures(self, question: str, protocol: EvalConfig) -> list[Image.Image]:
        """Give the slow and the middle pictures, then those of which small ones are made."""


@dataclass(frozen=True)
class Ask:
    """One question as it is put to a model.

    Attributes:
        key: `(id, rotation)`; the answer is stored under it.
        frames: PIL images in order.
        prompt: the text.
        system: text of a system turn, or empty.
        prefill: how the answer begins, or empty.
        line: what the file of answers says beside the answer.
        choices: what an answer may be, where it is chosen by one forward pass.
        video: path or URL of the video, for a model that reads files itself.
        bounds: seconds at which the part asked about begins and ends, where it is a part.
    """

    key: Key
    frames: Sequence[Image.Image]
    prompt: str
    system: str
    prefill: str
    line: dict[str, Any]
    choices: tuple[str, ...] = ()
    video: str | None = None
    bounds: tuple[float | None, float | None] | None = None

    @property
    def row(self) -> dict[str, Any]:
        """Give it in the form that training and `answer` take."""
        turns = [("system", self.system)] if self.system else []
        turns.append(("user", self.prompt))
        return {
            "id": self.key[0],
            "source": self.line["source"],
            "images": self.frames,
            "messages": messages(turns, n_frames=len(self.frames)),
        }


def rotations(row: Mapping[str, Any], protocol: EvalConfig) -> list[int]:
    """Give the rotations of the options that are asked: the first alone, or all."""
    if not protocol.circular or row.get("style", "choice") != "choice":
        return [0]
    return list(range(max(1, len(row["options"]))))


def rotated(row: Mapping[str, Any], shift: int) -> dict[str, Any]:
    """Give the row with its options rotated and its letter moved along.

    >>> rotated({"options": ["x", "y", "z"], "answer": "A"}, 1)["answer"]
    'C'
    """
    if shift == 0:
        return dict(row)
    if not row["answer"]:  # not public
        return {**row, "options": rotate(row["options"], shift)}
    place = (LETTERS.index(row["answer"]) - shift) % len(row["options"])
    return {**row, "options": rotate(row["options"], shift), "answer": LETTERS[place]}


def fingerprint(row: Mapping[str, Any], stored: Mapping[str, Any] | None) -> str:
    """Hash what a question is, so that an answer is never taken for that of an edited one.

    The folder of the video is left out: it may be moved between runs.
    """
    spec = json.loads((stored or {}).get("spec") or "{}")
    parts = [row["question"], *row["options"], row["answer"], row.get("video")]
    parts += [spec.get("start_s"), spec.get("end_s"), row.get("instruction")]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:12]


def media_key(stored: Mapping[str, Any] | None) -> str:
    """Give what tells the frames of a row from those of others: its path or its content, and its spec.

    >>> media_key({"text": "a", "spec": "{}"}) == media_key({"text": "b", "spec": "{}"})
    False
    """
    stored = stored or {}
    inline = stored.get("bytes") or (stored.get("text") or "").encode()
    return f"{stored.get('path')} {stored.get('spec')} {hashlib.sha256(inline).hexdigest()[:16]}"


def spec_of(stored: Mapping[str, Any], protocol: EvalConfig) -> SampleSpec:
    """Give the sampling of a stored video: the protocol's, within the bounds of the question."""
    own = json.loads(stored.get("spec") or "{}")
    kept = ("start_s", "end_s", "folder_fps") if protocol.bounds else ("folder_fps",)
    bounds = {name: own[name] for name in kept if own.get(name) is not None}
    return dataclasses.replace(protocol.sample, **bounds) if bounds else protocol.sample


def controlled(frames: FrameList, protocol: EvalConfig, *, key: str) -> FrameList:
    """Take from a video what the control of a protocol takes.

    Args:
        frames: as sampled.
        protocol: whose `control` applies.
        key: of the video; its frames are shuffled in the same order in every run.

    >>> clip = FrameList([Image.new("L", (1, 1), i) for i in range(3)])
    >>> [f.getpixel((0, 0)) for f in controlled(clip, EvalConfig(control="reversed"), key="a")]
    [2, 1, 0]
    """
    order = list(range(len(frames)))
    if protocol.control == "one":
        order = order[len(order) // 2 :][:1]
    elif protocol.control == "reversed":
        order.reverse()
    elif protocol.control == "shuffled" and len(order) > 1:
        rng = np.random.default_rng(int(hashlib.sha256(key.encode()).hexdigest()[:8], 16))
        drawn = order
        while drawn == order:  # an order that is left as it was would be no control
            drawn = rng.permutation(len(order)).tolist()
        order = drawn
    else:
        return frames
    times = frames.timestamps_s
    return FrameList([frames[i] for i in order], timestamps_s=times and [times[i] for i in order])


def show(
    frames: Sequence[Image.Image],
    protocol: EvalConfig,
    *,
    question: str = "",
    guide: Guide | None = None,
    edge: int | None = None,
) -> list[Image.Image]:
    """Turn sampled frames into what the strategy shows.

    Args:
        frames: sampled with `protocol.sample`.
        protocol: whose `strategy` applies.
        question: what `prompt_guided` looks for.
        guide: what `prompt_guided` asks; it knows the frames.
        edge: longer edge in pixels to which the model brings every frame, so that small frames
            cost as much as large ones unless they share a picture; None keeps their sizes.

    >>> clip = FrameList([Image.new("RGB", (8, 6))] * 6)
    >>> [image.size for image in show(clip, EvalConfig(strategy="grid", frames=6))]
    [(24, 12)]
    """
    if not frames:
        return []
    if protocol.strategy == "grid":
        return [grid(frames, columns=protocol.grid_columns)]
    if protocol.strategy not in SMALL_FRAMES:
        return list(frames)
    if protocol.strategy == "prompt_guided":
        if guide is None:
            raise InputError("strategy 'prompt_guided' needs a guide; ask through evaluate()")
        large = guide.pictures(question, protocol)
    else:
        large = _spread(frames, protocol.frames)
    fast = [_shrunk(frame, protocol.fast_px) for frame in _spread(frames, protocol.fast_frames)]
    per_row = 1 if edge is None else sheet_columns(protocol, edge)
    if per_row > 1:
        size = per_row**2
        fast = [grid(fast[i : i + size], columns=per_row) for i in range(0, len(fast), size)]
    return [*large, *fast]


def sheet_columns(protocol: EvalConfig, edge: int) -> int:
    """Say how many small frames stand in a row of a sheet that the model sees `edge` pixels wide."""
    return edge // protocol.fast_px


def grid(frames: Sequence[Image.Image], *, columns: int) -> Image.Image:
    """Put frames into one picture, in reading order; cells that are left over stay black."""
    width, height = frames[0].size
    columns = min(columns, len(frames))
    sheet = Image.new("RGB", (columns * width, ceil(len(frames) / columns) * height))
    for place, frame in enumerate(frames):
        sheet.paste(frame, (place % columns * width, place // columns * height))
    return sheet


def blank_like(n: int) -> FrameList:
    """Give `n` gray frames, for a control that needs no video."""
    return FrameList([Image.new("RGB", (FRAME_PX, FRAME_PX), _GRAY)] * n)


def prompt_of(
    row: Mapping[str, Any],
    protocol: EvalConfig,
    *,
    cues: Sequence[str] = (),
    n_frames: int = 0,
    per_row: int = 1,
) -> str:
    """Write the text of a question.

    Args:
        row: of a benchmark builder.
        protocol: whose prompt applies; TempCompass's other formats have their own.
        cues: the subtitles shown, in order.
        n_frames: frames shown.
        per_row: small frames in a row of a sheet, where they share pictures.
    """
    style, stem = row.get("style") or "choice", row["question"]
    if style == "yes_no":
        text = f"{stem}\n{_YES_NO}"
    elif style == "matching":
        pairs = zip(row["labels"], row["options"], strict=True)
        text = "\n".join([stem, *(f"{label}: {option}" for label, option in pairs), _BEST])
    elif style == "caption":
        text = row["instruction"]
    else:
        text = protocol.template.format(
            question=stem,
            options=_lettered(row["options"], protocol),
            subtitles=_listed(cues, protocol),
        )
    if protocol.strategy == "grid" and n_frames:
        columns = min(protocol.grid_columns, n_frames)
        text = GRID_HINT.format(frames=n_frames, columns=columns) + text
    if per_row > 1 and n_frames:
        text = SHEET_HINT.format(frames=min(protocol.fast_frames, n_frames), columns=per_row) + text
    return text


def ask(
    row: Mapping[str, Any],
    shift: int,
    frames: FrameList,
    protocol: EvalConfig,
    *,
    cue_times_s: Sequence[float] | None = None,
    guide: Guide | None = None,
    edge: int | None = None,
) -> Ask:
    """Put one rotation of one question together.

    Args:
        row: of a benchmark builder, `images` not looked at.
        shift: rotation of the options.
        frames: as sampled from its video, the control applied.
        protocol: how to ask.
        cue_times_s: times whose subtitles are shown; by default those of the frames.
        guide: of `prompt_guided`, with the frames.
        edge: see `show`; None where no frame is shown small.
    """
    turned = rotated(row, shift)
    shown = show(frames, protocol, question=row["question"], guide=guide, edge=edge)
    times = frames.timestamps_s or []
    cues = _cues(row, protocol, times if cue_times_s is None else cue_times_s)
    per_row = 1 if edge is None else sheet_columns(protocol, edge)
    prompt = prompt_of(turned, protocol, cues=cues, n_frames=len(frames), per_row=per_row)
    line = {name: row.get(name) for name in _KEPT}
    line |= {
        "rotation": shift,
        "options": list(turned["options"]),
        "labels": list(row.get("labels") or ()),
        "answer": turned["answer"],
        "prompt": prompt,
        "n_frames": len(frames) if shown else 0,
        "n_cues": len(cues),
        "times_s": [round(time, 3) for time in times] if shown else [],
    }
    style = row.get("style") or "choice"
    # TempCompass's other formats are not answered by a letter
    prefill = protocol.prefill if style == "choice" else ""
    chosen = protocol.answering == "letters" and style in ("choice", "yes_no")
    choices = tuple(turned["options"]) if style == "yes_no" else tuple(LETTERS)
    stored = row.get("images")
    stored = stored if isinstance(stored, Mapping) and protocol.control != "blind" else {}
    spec = json.loads(stored.get("spec") or "{}") if protocol.bounds else {}
    bounds = spec.get("start_s"), spec.get("end_s")
    return Ask(
        (row["id"], shift),
        shown,
        prompt,
        protocol.system,
        prefill,
        line,
        choices[: len(turned["options"])] if chosen else (),
        stored.get("path"),
        None if bounds == (None, None) else bounds,
    )


def check_strategy(protocol: EvalConfig, edge: int | None) -> None:
    """Refuse small frames where they would cost as much as large ones.

    Args:
        protocol: how to ask.
        edge: longer edge in pixels to which the model brings small frames too; None keeps sizes.

    Raises:
        InputError: where not even two small frames fit beside each other into a frame of the model.
    """
    if edge is not None and sheet_columns(protocol, edge) < 2:
        raise InputError(
            f"strategy {protocol.strategy!r}: this model sees every frame {edge} px wide, so frames "
            f"of fast_px={protocol.fast_px} would cost as much as large ones; set fast_px to "
            f"{edge // 2} or less, then they share pictures"
        )


def _lettered(options: Sequence[str], protocol: EvalConfig) -> str:
    official = official_prompt(protocol.prompt)
    mark = official.option if official else "{}. {}"
    return "\n".join(mark.format(a, b) for a, b in zip(LETTERS, options, strict=False))


def _listed(cues: Sequence[str], protocol: EvalConfig) -> str:
    official = official_prompt(protocol.prompt)
    bare = official is not None and official.cues == "around"
    head = "" if bare or not cues else "This video's subtitles are listed below:\n"
    return head + "".join(f"{cue}\n" for cue in cues)


def _cues(row: Mapping[str, Any], protocol: EvalConfig, times_s: Sequence[float]) -> list[str]:
    if not protocol.subtitles or protocol.control in ("blind", "blank", "other"):
        return []
    cues = [Cue(**cue) for cue in row.get("subtitles") or ()]
    official = official_prompt(protocol.prompt)
    which = official.cues if official else "shown"
    if which == "around":
        return cues_around(cues, times_s)
    if which == "all":
        return [" ".join(cue.text for cue in cues)] if cues else []
    return cues_at(cues, times_s)


def _spread(frames: Sequence[Image.Image], n: int) -> list[Image.Image]:
    n = min(n, len(frames))
    return [frames[(2 * i + 1) * len(frames) // (2 * n)] for i in range(n)]


def _shrunk(frame: Image.Image, edge: int) -> Image.Image:
    small = frame.copy()
    small.thumbnail((edge, edge))
    return small
