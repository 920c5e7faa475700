r"""TempCompass (arXiv 2403.00476): four formats, in three layouts.

>>> nested = {"v1": {"action": [{"question": "What?\nA. wave\nB. bow", "answer": "B. bow"}]}}
>>> [q.answer for q in READER.convert(flatten(nested), Counts(), config="multi-choice")]
['B']

A folder holds `questions/<task>.json` (the repository) or `<task>/*.parquet` (the Hub), and `videos/`;
T2Vid's `TempCompass.jsonl` holds the multiple-choice questions.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from t2vid.errors import RecordError
from t2vid.evaluation.benchmarks.questions import (
    LETTERS,
    Question,
    Style,
    letter_of,
    split_options,
    t2vid_questions,
    unusable,
)
from t2vid.evaluation.benchmarks.reader import BenchmarkReader, Line
from t2vid.schema import Counts
from t2vid.storage import records

STYLES: dict[str, Style] = {
    "multi-choice": "choice",
    "yes_no": "yes_no",
    "caption_matching": "matching",
    "captioning": "caption",
}
TASKS = tuple(STYLES)
VIDEO_FOLDERS = ("videos", "tempcompass_videos", "tempcompass_videos/videos")


class TempCompass(BenchmarkReader):
    """Reads the four formats; T2Vid's rows, told by their `prompt`, are multiple choice."""

    source = "tempcompass"
    configs = {task: f"The {task} questions." for task in TASKS}
    hub = {
        task: (f"hf://datasets/lmms-lab/TempCompass/{task}/test-00000-of-00001.parquet",)
        for task in TASKS
    }
    video_folders = VIDEO_FOLDERS

    def files_in(self, folder: Path, config: str) -> list[Path]:
        """Find the question file in a folder laid out as the repository or the Hub, or T2Vid's."""
        plain = [folder / "questions" / f"{config}.json", folder / f"{config}.json"]
        there = [path for path in plain if path.is_file()]
        t2vid = sorted(folder.glob("TempCompass*.jsonl")) if config == "multi-choice" else []
        return (there or sorted(folder.glob(f"{config}/*.parquet")) or t2vid)[:1]

    def records(self, part: records.Part) -> Iterator[tuple[int, Any]]:
        """Give the records of a file in any of the three layouts."""
        nested = None if "://" in part.path else read_nested(part.path)
        return records.read(part) if nested is None else flatten(nested)

    def convert(
        self,
        rows: Iterable[tuple[int, Any]],
        counts: Counts,
        *,
        config: str = "",
        subtitles: str | None = None,
    ) -> Iterator[Question]:
        """Make questions of the records of one format, `config`."""
        task = config or TASKS[0]
        places: Counter[tuple[str, str]] = Counter()
        for number, record in rows:
            name = f"{task} row {number:,}"
            if isinstance(record, dict) and "prompt" in record:
                yield from t2vid_questions([(number, record)], counts, source=self.source)
                continue
            keys = [
                "video_id",
                "question",
                "dim",
                "mc_answer" if task == "captioning" else "answer",
            ]
            if unusable(record, keys, name, counts, task):
                continue
            place = str(record["video_id"]), str(record["dim"])
            read = _READERS[task](record)
            if read is None:
                counts.drop("the answer is none of the options", source=task, example=name)
            else:
                yield Question(
                    id=f"{self.source}/{task}/{place[0]}/{place[1]}/{places[place]}",
                    source=self.source,
                    video=f"{place[0]}.mp4",
                    category=place[1],
                    style=STYLES[task],
                    official={**record, "task": task},
                    **read,
                )
            places[place] += 1

    def export(self, lines: Sequence[Line], path: Path) -> list[Path]:
        """Write the answers as `eval_*.py` read them: a folder with one file a format."""
        path.mkdir(exist_ok=True)
        tasks: dict[str, dict[str, dict[str, list[dict[str, Any]]]]] = {}
        for line in lines:
            record = json.loads(line["official"])
            task = record.pop("task", "multi-choice")
            if "prompt" in record:  # T2Vid's file: the official one writes the option as answer
                answer = f"{line['answer']}. {line['options'][LETTERS.index(line['answer'])]}"
                shown = zip(LETTERS, line["options"], strict=False)
                stem = [line["question"], *(f"{letter}. {option}" for letter, option in shown)]
                video = Path(record["video"]).stem
                record = {"question": "\n".join(stem), "answer": answer}
                dim = line["category"]
            else:
                video, dim = record.pop("video_id"), record.pop("dim")
            place = tasks.setdefault(task, {}).setdefault(video, {}).setdefault(dim, [])
            place.append({**record, "prediction": line["prediction"]})
        written = []
        for task, nested in tasks.items():
            written.append(path / f"{task}.json")
            written[-1].write_text(json.dumps(nested, indent=4, ensure_ascii=False), "utf-8")
        return written

    def predicted(self, key: str, value: Any) -> Iterator[dict[str, Any]]:
        """Give the predictions about one video of a format's file."""
        for _, record in flatten({key: value} if isinstance(value, dict) else {}):
            yield record


def flatten(nested: Mapping[str, Any]) -> Iterator[tuple[int, dict[str, Any]]]:
    """Flatten the repository's `{video_id: {dim: [record, …]}}` into numbered records."""
    number = 0
    for video_id, dims in nested.items():
        for dim, found in dims.items():
            for record in found:
                yield number, {"video_id": video_id, "dim": dim, **record}
                number += 1


def read_nested(path: str) -> dict[str, Any] | None:
    """Read a file of the repository's nested layout; None where the file is of another kind.

    Raises:
        RecordError: for a JSON object of another shape.
    """
    with open(path, "rb") as file:
        if file.read(64).lstrip()[:1] != b"{":
            return None
        file.seek(0)
        try:
            nested = json.load(file)
        except ValueError:
            return None  # several objects: JSONL
    if "prompt" in nested or "video_id" in nested:
        return None  # JSONL of a single line
    if not all(isinstance(dims, dict) for dims in nested.values()):
        raise RecordError(f"{path} is JSON, but not {{video_id: {{dim: [record, …]}}}}")
    return dict(nested)


def _multi_choice(record: Mapping[str, Any]) -> dict[str, Any] | None:
    return _lettered(str(record["question"]), str(record["answer"]))


def _yes_no(record: Mapping[str, Any]) -> dict[str, Any] | None:
    letter = {"yes": "A", "no": "B"}.get(str(record["answer"]).strip().rstrip(".").lower())
    if letter is None:
        return None
    question = str(record["question"])
    return {"question": question, "options": ("Yes", "No"), "answer": letter}


def _matching(record: Mapping[str, Any]) -> dict[str, Any] | None:
    # "Which caption fits?\nCaption A: …\nCaption B: …", or Sentence A, Option 1, …
    stem, *lines = str(record["question"]).split("\n")
    pairs = [line.split(": ", 1) for line in lines if ": " in line]
    wanted = str(record["answer"])
    hit = [at for at, line in enumerate(pairs) if wanted in (": ".join(line), line[0], line[1])]
    if not hit:
        return None
    return {
        "question": stem,
        "options": tuple(text for _, text in pairs),
        "labels": tuple(label for label, _ in pairs),
        "answer": LETTERS[hit[0]],
    }


def _captioning(record: Mapping[str, Any]) -> dict[str, Any] | None:
    read = _lettered(str(record["mc_question"]), str(record["mc_answer"]))
    return None if read is None else {**read, "instruction": str(record["question"])}


def _lettered(question: str, answer: str) -> dict[str, Any] | None:
    stem, options = split_options(question)
    _, written = split_options(answer)
    letter = letter_of(written.get("A", answer), list(options.values()))
    if letter is None and answer[:1] in options and answer[1:2] in (".", ")", ""):
        letter = answer[0]
    if letter is None:
        return None
    return {"question": stem, "options": tuple(options.values()), "answer": letter}


_READERS = {
    "multi-choice": _multi_choice,
    "yes_no": _yes_no,
    "caption_matching": _matching,
    "captioning": _captioning,
}


READER = TempCompass()
