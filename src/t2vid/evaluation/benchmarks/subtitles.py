r"""Subtitles of benchmarks: SubRip files, timed words, and the JSON of LongVideoBench, as `Cue`s.

>>> cues = read_srt("1\n00:00:01,000 --> 00:00:02,500\n<font size='1'>Two towers</font>\n")
>>> cues[0].start_s, cues[0].end_s, cues[0].text
(1.0, 2.5, 'Two towers')
"""

from __future__ import annotations

import json
import math
import re
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from t2vid.evaluation.benchmarks.questions import Cue

_TIME = re.compile(
    r"(?:(\d+):)?(\d+):(\d+)[,.](\d+)\s*-->\s*(?:(\d+):)?(\d+):(\d+)[,.](\d+)", re.ASCII
)
_TAG = re.compile(r"<[^>]*>|\{\\[^}]*\}")


def subtitle_file(folder: str | Path | None, name: str, suffix: str) -> Path | None:
    """Find the subtitles of a video in a folder; None where it has none, as 156 of Video-MME's."""
    path = Path(folder or "", f"{Path(name).name}{suffix}")
    return path if folder is not None and path.is_file() else None


def read_srt(text: str) -> list[Cue]:
    """Read SubRip cues, markup taken out, lines joined by blanks; broken blocks are skipped."""
    cues = []
    for block in re.split(r"\n\s*\n", text.replace("\r\n", "\n")):
        match = _TIME.search(block)
        if match:
            words = _TAG.sub("", block[match.end() :].replace("\\N", " ")).split()
            cues.append(
                Cue(_seconds(match.groups()[:4]), _seconds(match.groups()[4:]), " ".join(words))
            )
    return cues


def srt_cues(folder: str | Path | None, video: str) -> tuple[Cue, ...]:
    """Read `<video>.srt` of a folder."""
    path = subtitle_file(folder, video, ".srt")
    return tuple(read_srt(path.read_text("utf-8-sig", errors="replace"))) if path else ()


def timed_words(text: str) -> list[Cue]:
    """Read Video-MME-v2's lines `{text, start_time, end_time}`, a word each; broken ones are skipped.

    >>> timed_words('{"text": "The", "start_time": 0.5, "end_time": 0.7}')
    [Cue(start_s=0.5, end_s=0.7, text='The')]
    """
    cues = []
    for line in text.splitlines():
        try:
            word = json.loads(line)
            cues.append(Cue(float(word["start_time"]), float(word["end_time"]), str(word["text"])))
        except (ValueError, TypeError, KeyError):
            continue
    return cues


def long_video_cues(items: Any, *, offset_s: float, duration_s: float) -> list[Cue]:
    """Read LongVideoBench's subtitles, in either of their two layouts; broken ones are skipped.

    Args:
        items: `{start, end, line}` with times as text, or `{timestamp: [s, e], text}`, where an
            open end is that of the video.
        offset_s: where the video begins in the times of the subtitles.
        duration_s: of the video.

    >>> long_video_cues([{"timestamp": [121, None], "text": "x"}], offset_s=120, duration_s=190)
    [Cue(start_s=1.0, end_s=190.0, text='x')]
    """
    cues = []
    for item in items if isinstance(items, list) else []:
        try:
            if "timestamp" in item:
                (start, end), text = item["timestamp"], item["text"]
                # the authors' loader takes the offset off the length, too, and loses such a cue
                end = duration_s + offset_s if end is None else end
            else:
                start, end, text = _clock(item["start"]), _clock(item["end"]), item["line"]
            cues.append(Cue(float(start) - offset_s, float(end) - offset_s, str(text)))
        except (ValueError, TypeError, KeyError):
            continue
    return [cue for cue in cues if math.isfinite(cue.start_s + cue.end_s)]


def cues_at(cues: Sequence[Cue], times_s: Iterable[float]) -> list[str]:
    """Give the subtitles shown at the sampled times, each cue once, in order.

    Args:
        cues: subtitles of the video.
        times_s: times of the sampled frames, in seconds.

    >>> cues_at([Cue(0, 2, "one"), Cue(2, 4, "two"), Cue(4, 6, "three")], [0.5, 1.5, 4.5])
    ['one', 'three']
    """
    hit: dict[int, str] = {}
    for time_s in times_s:
        for place, cue in enumerate(cues):
            if cue.start_s <= time_s < cue.end_s:
                if cue.text:
                    hit[place] = cue.text
                break
    return [hit[place] for place in sorted(hit)]


def cues_between(cues: Sequence[Cue], times_s: Sequence[float]) -> list[tuple[int, str]]:
    """Put cues between frames as LongVideoBench's loader does: how many frames come before, and the text.

    A cue is shown where a frame lies in it, one under a second being given a second around its
    middle; it stands behind the frames up to its middle.

    Args:
        cues: subtitles of the video, in the order of their file.
        times_s: times of the frames, ascending.

    >>> cues_between([Cue(6.0, 6.4, "jug"), Cue(9, 10, "out")], [6.0, 6.6, 12])
    [(1, 'jug')]
    """
    shown, before = [], 0
    for cue in cues:
        start, end, middle = cue.start_s, cue.end_s, (cue.start_s + cue.end_s) / 2
        before = max(before, bisect_right(times_s, middle))
        if end - start < 1:
            start, end = middle - 0.5, middle + 0.5
        if any(start < time_s < end for time_s in times_s):
            shown.append((before, cue.text))
    return shown


def _seconds(parts: Sequence[str | None]) -> float:
    hours, minutes, seconds, fraction = (part or "0" for part in parts)
    return int(hours) * 3600 + int(minutes) * 60 + float(f"{seconds}.{fraction}")


def _clock(text: str) -> float:
    hours, minutes, seconds = str(text).split(":")
    return int(hours) * 3600 + int(minutes) * 60 + float(seconds)
