r"""Video-MME (arXiv 2405.21075): the official Parquet rows, subtitles, and the public folder layout.

>>> cues = read_srt("1\n00:00:01,000 --> 00:00:02,500\n<font size='1'>Two towers</font>\n")
>>> cues[0].start_s, cues[0].end_s, cues[0].text
(1.0, 2.5, 'Two towers')

A folder is a copy of the Hub's repository with its archives unpacked: `videomme/*.parquet`,
`data/<videoID>.mp4`, `subtitle/<videoID>.srt`. Terms: academic use, no redistribution.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from t2vid.evaluation.benchmarks.questions import (
    LETTERS,
    Cue,
    Question,
    Videos,
    split_options,
    unusable,
)
from t2vid.schema import Counts
from t2vid.storage import records

# lmms-lab/Video-MME moved to lmms-eval/Video-MME in July 2026; both names answer.
HUB_FILE = "hf://datasets/lmms-lab/Video-MME/videomme/test-00000-of-00001.parquet"
CONFIGS = {
    "default": "Questions about the frames alone.",
    "subtitles": "With the subtitles of each video.",
}
SOURCE = "video_mme"
VIDEO_FOLDERS = ("data", "videos", "video")
KEYS = ("videoID", "question_id", "question", "options", "answer")

_TIME = re.compile(
    r"(?:(\d+):)?(\d+):(\d+)[,.](\d+)\s*-->\s*(?:(\d+):)?(\d+):(\d+)[,.](\d+)", re.ASCII
)
_TAG = re.compile(r"<[^>]*>|\{\\[^}]*\}")


def hub_files(config: str) -> list[str]:
    """Give the public question file."""
    return [HUB_FILE]


def files_in(folder: Path, config: str) -> list[Path]:
    """Find the question file in a folder laid out as on the Hub."""
    return sorted([*folder.glob("videomme/*.parquet"), *folder.glob("*.parquet")])[:1]


def read(
    part: records.Part, counts: Counts, *, config: str, name: str = "", subtitles: str | None = None
) -> Iterator[Question]:
    """Read the question file; `subtitles` adds the subtitles of each video."""
    shown = subtitles if config == "subtitles" else None
    return convert(records.read(part), counts, subtitles=shown)


def convert(
    rows: Iterable[tuple[int, Any]],
    counts: Counts,
    *,
    subtitles: str | Path | None = None,
    source: str = SOURCE,
) -> Iterator[Question]:
    """Convert official records.

    Args:
        rows: `(row number, record)` pairs of the Parquet file.
        counts: where unusable rows are counted.
        subtitles: folder of `<videoID>.srt`; None leaves them out.
        source: name of the benchmark.
    """
    for number, record in rows:
        name = f"{source} row {number:,}"
        if unusable(record, KEYS, name, counts, source):
            continue
        written = [str(option) for option in record["options"]]
        _, options = split_options("\n".join(written))
        if len(options) != len(written):  # written without letters
            options = dict(zip(LETTERS, written, strict=False))
        answer = str(record["answer"]).strip().upper()
        if answer not in options:
            counts.drop("the answer is none of the options", source=source, example=name)
            continue
        yield Question(
            id=f"{source}/{record['question_id']}",
            source=source,
            video=str(record["videoID"]),
            question=str(record["question"]),
            options=tuple(options.values()),
            answer=answer,
            category=str(record.get("task_type") or ""),
            duration=str(record["duration"]) if record.get("duration") else None,
            cues=tuple(cues_of(subtitles, str(record["videoID"]))),
            official=record,
        )


def find(videos: Videos, question: Question) -> str | None:
    """Find the video of a question."""
    return videos.find(question.video, *VIDEO_FOLDERS)


def export(lines: list[dict[str, Any]], path: Path) -> list[Path]:
    """Write the answers of a run as `eval_your_results.py` reads them: one JSON list of videos."""
    videos: dict[str, dict[str, Any]] = {}
    for line in lines:
        record = json.loads(line["official"])
        video = videos.setdefault(
            record["video_id"],
            {name: record[name] for name in ("video_id", "duration", "domain", "sub_category")}
            | {"missing": False, "questions": []},
        )
        video["missing"] |= bool(line.get("error"))
        names = ("question_id", "task_type", "question", "options", "answer")
        question = {name: record[name] for name in names}
        video["questions"].append({**question, "response": line["prediction"]})
    path.write_text(json.dumps(list(videos.values()), indent=4, ensure_ascii=False), "utf-8")
    return [path]


def cues_of(folder: str | Path | None, video_id: str) -> list[Cue]:
    """Read the subtitles of a video; 156 of the 900 have none."""
    path = Path(folder or "", f"{Path(video_id).name}.srt")
    if folder is None or not path.is_file():
        return []
    return read_srt(path.read_text(encoding="utf-8-sig", errors="replace"))


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


def _seconds(parts: Sequence[str | None]) -> float:
    hours, minutes, seconds, fraction = (part or "0" for part in parts)
    return int(hours) * 3600 + int(minutes) * 60 + float(f"{seconds}.{fraction}")
