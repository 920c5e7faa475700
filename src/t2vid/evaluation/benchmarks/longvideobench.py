"""LongVideoBench (arXiv 2407.15754): questions that refer to a moment, in videos up to an hour.

>>> record = {"id": "a_0", "video_path": "a.mp4", "question": "What?", "candidates": ["pan", "jug"]}
>>> record |= {"correct_choice": 1, "duration_group": 600, "question_category": "S2O"}
>>> [(q.id, q.answer, q.duration) for q in READER.convert([(0, record)], Counts())]
[('longvideobench/a_0', 'B', '600')]

A folder is a copy of the Hub's gated repository, unpacked: `lvb_val.json`, `lvb_test_wo_gt.json` (or
the Parquet files), `videos/`, `subtitles/`. Papers mix scores with and without subtitles: say which.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from t2vid.evaluation.benchmarks import parsing
from t2vid.evaluation.benchmarks.questions import LETTERS, Cue, Question
from t2vid.evaluation.benchmarks.reader import (
    BenchmarkReader,
    Line,
    Unusable,
    letter_at,
    number,
    percent,
    percents,
    record_of,
    texts,
    with_answer,
    write_json,
)
from t2vid.evaluation.benchmarks.subtitles import long_video_cues, subtitle_file
from t2vid.schema import Counts as Counts
from t2vid.storage.records import read_json

_HUB = "hf://datasets/longvideobench/LongVideoBench/"
_SETS = {"default": "lvb_val", "subtitles": "lvb_val"}
_SETS |= {"test": "lvb_test_wo_gt", "test_subtitles": "lvb_test_wo_gt"}


class LongVideoBench(BenchmarkReader):
    """Reads LongVideoBench."""

    source = "longvideobench"
    configs = {
        "default": "The validation set.",
        "subtitles": "The validation set with subtitles.",
        "test": "The test set, whose answers are not public.",
        "test_subtitles": "The test set with subtitles.",
    }
    hub = {config: (f"{_HUB}{name}.json",) for config, name in _SETS.items()}
    needed = ("id", "video_path", "question")

    def files_in(self, folder: Path, config: str) -> list[Path]:
        """Find the JSON file of a set, or its Parquet files."""
        plain = folder / f"{_SETS[config]}.json"
        stem = "test" if config.startswith("test") else "validation"
        shards = sorted([*folder.glob(f"{stem}-*.parquet"), *folder.glob(f"data/{stem}-*.parquet")])
        return [plain] if plain.is_file() else shards

    def question(self, record: Any, place: int, *, config: str, subtitles: str | None) -> Question:
        """Make the question of a record; `option0` … of the Parquet files end at "N/A"."""
        options = record.get("candidates")
        if options is None:
            columns = [record.get(f"option{place}") for place in range(5)]
            options = [text for text in columns if text not in (None, "N/A")]
        options = texts(options)
        answer = letter_at(record.get("correct_choice", -1))
        if answer and LETTERS.index(answer) >= len(options):
            raise Unusable("the answer is none of the options")
        group = number(record.get("duration_group"))
        return Question(
            id=f"{self.source}/{record['id']}",
            source=self.source,
            video=str(record["video_path"]),
            question=str(record["question"]),
            options=options,
            answer=answer,
            category=str(record.get("question_category") or ""),
            duration=None if group is None else f"{group:g}",
            cues=_cues(record, subtitles) if "subtitles" in config else (),
            official=record,
        )

    def parse(self, answer: str, line: Line) -> str:
        """Take the first capital A to E, and draw one where there is none (lmms-eval)."""
        found = parsing.first_capital(answer, "ABCDE", parsing.PREFIXES)
        return found or parsing.guess(LETTERS[: len(line["options"])], line["id"])

    def figures(self, lines: Sequence[Line], *, official: bool = False) -> dict[str, float]:
        """Give the accuracy overall, by group of duration (seconds) and by category."""
        known = with_answer(lines)
        if not known:
            return {}
        groups = {
            f"duration {name} s": value for name, value in percents(known, "duration").items()
        }
        return {"Overall": percent(x["correct"] for x in known), **groups, **percents(known)}

    def export(self, lines: Sequence[Line], path: Path) -> list[Path]:
        """Write `{id: raw answer}`, what the leaderboard takes."""
        return write_json(path, {record_of(line)["id"]: line["prediction"] for line in lines})


def _cues(record: Any, folder: str | None) -> tuple[Cue, ...]:
    path = subtitle_file(folder, str(record.get("subtitle_path") or ""), "")
    if path is None:
        return ()
    offset = number(record.get("starting_timestamp_for_subtitles"), 0.0) or 0.0
    duration = number(record.get("duration"), 0.0) or 0.0
    return tuple(long_video_cues(read_json(str(path)), offset_s=offset, duration_s=duration))


READER = LongVideoBench()
