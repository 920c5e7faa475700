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
from typing import Any

from PIL import Image

from t2vid.catalog import official_prompt
from t2vid.errors import InputError
from t2vid.evaluation.benchmarks.questions import LETTERS, Cue
from t2vid.evaluation.benchmarks.subtitles import cues_around, cues_at
from t2vid.evaluation.compare import rotate
from t2vid.evaluation.config import GRID_HINT, EvalConfig
from t2vid.frames.framelist import FrameList
from t2vid.frames.spec import SampleSpec
from t2vid.schema import FRAME_PX, messages

# TempCompass, run_qwen2_vl.py: the sentence after a question of each format
_YES_NO = "Please answer yes or no:"
_BEST = "Please directly give the best option:"
_KEPT = ("id", "source", "video", "category", "duration", "style", "question", "official")
_GRAY = (128, 128, 128)


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
    """

    key: tuple[str, int]
    frames: Sequence[Image.Image]
    prompt: str
    system: str
    prefill: str
    line: dict[str, Any]

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


def spec_of(stored: Mapping[str, Any], protocol: EvalConfig) -> SampleSpec:
    """Give the sampling of a stored video: the protocol's, within the bounds of the question."""
    own = json.loads(stored.get("spec") or "{}")
    kept = ("start_s", "end_s", "folder_fps") if protocol.bounds else ("folder_fps",)
    bounds = {name: own[name] for name in kept if own.get(name) is not None}
    return dataclasses.replace(protocol.sample, **bounds) if bounds else protocol.sample


def show(frames: FrameList, protocol: EvalConfig) -> list[Image.Image]:
    """Turn sampled frames into what the strategy shows.

    Args:
        frames: sampled with `protocol.sample`.
        protocol: whose `strategy` applies.

    >>> clip = FrameList([Image.new("RGB", (8, 6))] * 6)
    >>> [image.size for image in show(clip, EvalConfig(strategy="grid", frames=6))]
    [(24, 12)]
    """
    if protocol.strategy == "text" or not frames:
        return []
    if protocol.strategy == "blank":
        return [Image.new("RGB", frame.size, _GRAY) for frame in frames]
    if protocol.strategy == "grid":
        return [grid(frames, columns=protocol.grid_columns)]
    if protocol.strategy == "slow_fast":
        slow = _spread(frames, protocol.frames)
        fast = _spread(frames, protocol.fast_frames)
        return [*slow, *(_shrunk(frame, protocol.fast_px) for frame in fast)]
    return list(frames)


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


def prompt_of(row: Mapping[str, Any], protocol: EvalConfig, frames: FrameList | None = None) -> str:
    """Write the text of a question.

    Args:
        row: of a benchmark builder.
        protocol: whose prompt applies; TempCompass's other formats have their own.
        frames: as sampled, for the subtitles shown at their times.
    """
    frames = FrameList() if frames is None else frames
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
            subtitles=_subtitles(row, protocol, frames),
        )
    if protocol.strategy == "grid" and frames:
        columns = min(protocol.grid_columns, len(frames))
        text = GRID_HINT.format(frames=len(frames), columns=columns) + text
    return text


def ask(row: Mapping[str, Any], shift: int, frames: FrameList, protocol: EvalConfig) -> Ask:
    """Put one rotation of one question together.

    Args:
        row: of a benchmark builder, `images` not looked at.
        shift: rotation of the options.
        frames: as sampled from its video.
        protocol: how to ask.
    """
    turned = rotated(row, shift)
    shown = show(frames, protocol)
    times = frames.timestamps_s or []
    prompt = prompt_of(turned, protocol, frames)
    line = {name: row.get(name) for name in _KEPT}
    line |= {
        "rotation": shift,
        "options": list(turned["options"]),
        "labels": list(row.get("labels") or ()),
        "answer": turned["answer"],
        "prompt": prompt,
        "n_frames": len(frames) if shown else 0,
        "times_s": [round(time, 3) for time in times] if shown else [],
    }
    # TempCompass's other formats are not answered by a letter
    prefill = protocol.prefill if (row.get("style") or "choice") == "choice" else ""
    return Ask((row["id"], shift), shown, prompt, protocol.system, prefill, line)


def check_strategy(protocol: EvalConfig, pixels: str) -> None:
    """Refuse a strategy that a family cannot show.

    Raises:
        InputError: for `slow_fast` where every frame is resized to one size.
    """
    if protocol.strategy == "slow_fast" and pixels != "processor":
        raise InputError(
            "strategy 'slow_fast' needs a family that keeps the size of each frame (qwen_vl, or a "
            "served model); this one brings all to one number of pixels, so that small frames "
            "would cost as much"
        )


def _lettered(options: Sequence[str], protocol: EvalConfig) -> str:
    official = official_prompt(protocol.prompt)
    mark = official.option if official else "{}. {}"
    return "\n".join(mark.format(a, b) for a, b in zip(LETTERS, options, strict=False))


def _subtitles(row: Mapping[str, Any], protocol: EvalConfig, frames: FrameList) -> str:
    if not protocol.subtitles:
        return ""
    cues = [Cue(**cue) for cue in row.get("subtitles") or ()]
    official = official_prompt(protocol.prompt)
    which = official.cues if official else "shown"
    if which == "around":
        return "".join(f"{text}\n" for text in cues_around(cues, frames.timestamps_s or ()))
    if which == "all":
        shown = [" ".join(cue.text for cue in cues)] if cues else []
    else:
        shown = cues_at(cues, frames.timestamps_s or ())
    return f"This video's subtitles are listed below:\n{chr(10).join(shown)}\n" if shown else ""


def _spread(frames: Sequence[Image.Image], n: int) -> list[Image.Image]:
    n = min(n, len(frames))
    return [frames[(2 * i + 1) * len(frames) // (2 * n)] for i in range(n)]


def _shrunk(frame: Image.Image, edge: int) -> Image.Image:
    small = frame.copy()
    small.thumbnail((edge, edge))
    return small
