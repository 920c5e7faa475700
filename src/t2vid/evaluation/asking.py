"""How one question is put to a model: its words, and where its frames stand among them.

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
from typing import Any

from PIL import Image

from t2vid.catalog import official_prompt
from t2vid.evaluation.benchmarks.questions import LETTERS, Cue
from t2vid.evaluation.benchmarks.subtitles import cues_at, cues_between
from t2vid.evaluation.compare import rotate
from t2vid.evaluation.config import GRID_HINT, SHEET_HINT, EvalConfig
from t2vid.evaluation.showing import Guide, sheet_columns, show
from t2vid.frames.framelist import FrameList
from t2vid.frames.spec import SampleSpec
from t2vid.schema import messages

# TempCompass, run_qwen2_vl.py: the sentence after a question of each format
_YES_NO = "Please answer yes or no:"
_BEST = "Please directly give the best option:"
_KEPT = ("id", "source", "video", "category", "duration", "style", "question", "official")

Key = tuple[str, int]  # id and rotation of a question


@dataclass(frozen=True)
class Ask:
    """One question as it is put to a model.

    Attributes:
        key: `(id, rotation)`; the answer is stored under it.
        frames: PIL images in order.
        prompt: the text, all of it.
        system: text of a system turn, or empty.
        prefill: how the answer begins, or empty.
        line: what the file of answers says beside the answer.
        choices: what an answer may be, where it is chosen by one forward pass.
        video: path or URL of the video, for a model that reads files itself.
        bounds: seconds at which the part asked about begins and ends, where it is a part.
        places: for each frame, how many characters of the prompt come before it; empty where every
            frame stands before the text.
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
    places: tuple[int, ...] = ()

    @property
    def content(self) -> list[Image.Image | str]:
        """Frames and pieces of the prompt, in the order in which a model is to see them."""
        out: list[Image.Image | str] = []
        at = 0
        for frame, place in zip(self.frames, self.places or [0] * len(self.frames), strict=True):
            if place > at:
                out.append(self.prompt[at:place])
                at = place
            out.append(frame)
        return [*out, self.prompt[at:]]

    @property
    def row(self) -> dict[str, Any]:
        """Give it in the form that training and `answer` take."""
        parts = [
            {"type": "text", "text": one}
            if isinstance(one, str)
            else {"type": "image", "text": None}
            for one in self.content
        ]
        turns = messages([("system", self.system)] if self.system else [], n_frames=0)
        return {
            "id": self.key[0],
            "source": self.line["source"],
            "images": self.frames,
            "messages": [*turns, {"role": "user", "content": parts}],
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


def question_line(row: Mapping[str, Any], shift: int) -> dict[str, Any]:
    """Give what the file of answers says of a question, its options rotated."""
    return {name: row.get(name) for name in _KEPT} | {
        "rotation": shift,
        "options": list(row["options"]),
        "labels": list(row.get("labels") or ()),
        "answer": row["answer"],
    }


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
    cue_times = times if cue_times_s is None else cue_times_s
    cues = _cues(row, protocol, cue_times)
    texts = [text for _, text in cues]
    per_row = 1 if edge is None else sheet_columns(protocol, edge)
    prompt = prompt_of(turned, protocol, cues=texts, n_frames=len(frames), per_row=per_row)
    style = row.get("style") or "choice"
    between = protocol.strategy == "frames" and style == "choice"
    between = between and _shown_cues(protocol) == "between" and len(shown) == len(times)
    places = _places(cues, cue_times, times) if between else ()
    line = question_line(turned, shift) | {
        "prompt": prompt,
        "n_frames": len(frames) if shown else 0,
        "n_cues": len(cues),
        "times_s": [round(time, 3) for time in times] if shown else [],
    }
    if places:
        line["frames_at"] = list(places)
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
        places,
    )


def _lettered(options: Sequence[str], protocol: EvalConfig) -> str:
    official = official_prompt(protocol.prompt)
    mark = official.option if official else "{}. {}"
    return "\n".join(mark.format(a, b) for a, b in zip(LETTERS, options, strict=False))


def _listed(texts: Sequence[str], protocol: EvalConfig) -> str:
    head = "This video's subtitles are listed below:\n"
    bare = not texts or _shown_cues(protocol) == "between"
    return ("" if bare else head) + "".join(f"{text}\n" for text in texts)


def _shown_cues(protocol: EvalConfig) -> str:
    official = official_prompt(protocol.prompt)
    return official.cues if official else "shown"


def _cues(
    row: Mapping[str, Any], protocol: EvalConfig, times_s: Sequence[float]
) -> list[tuple[int, str]]:
    """Give the subtitles that are shown, each with the number of frames that come before it."""
    if not protocol.subtitles or protocol.control in ("blind", "blank", "other"):
        return []
    cues = [Cue(**cue) for cue in row.get("subtitles") or ()]
    which = _shown_cues(protocol)
    if which == "between":
        return cues_between(cues, times_s)
    if which == "all":
        return [(0, " ".join(cue.text for cue in cues))] if cues else []
    return [(0, text) for text in cues_at(cues, times_s)]


def _places(
    cues: Sequence[tuple[int, str]], cue_times_s: Sequence[float], times_s: Sequence[float]
) -> tuple[int, ...]:
    """Say how many characters of the cues, a line each, come before each frame.

    A control that changes the order of the frames leaves the text where it was; one that takes
    frames away leaves a frame where its time is.
    """
    out: list[int] = []
    at = 0
    for before, text in cues:
        if len(times_s) != len(cue_times_s):
            before = sum(time <= cue_times_s[before - 1] for time in times_s) if before else 0
        out += [at] * (before - len(out))
        at += len(text) + 1
    out += [at] * (len(times_s) - len(out))
    return tuple(out) if any(out) else ()
