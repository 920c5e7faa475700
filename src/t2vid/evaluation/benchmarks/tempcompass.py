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
)
from t2vid.evaluation.benchmarks.reader import BenchmarkReader, Line, Unusable, percent, percents
from t2vid.schema import Counts as Counts
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
    needed = ("video_id", "question", "dim")
    t2vid_rows = True

    def files_in(self, folder: Path, config: str) -> list[Path]:
        """Find the question file in a folder laid out as the repository or the Hub, or T2Vid's."""
        plain = [folder / "questions" / f"{config}.json", folder / f"{config}.json"]
        there = [path for path in plain if path.is_file()]
        t2vid = sorted(folder.glob("TempCompass*.jsonl")) if config == "multi-choice" else []
        return (there or sorted(folder.glob(f"{config}/*.parquet")) or t2vid)[:1]

    def records(self, part: records.Part, config: str) -> Iterator[tuple[int, Any]]:
        """Give the records of a file in any of the three layouts, numbered within video and aspect.

        The repository's captions are judged by the questions of the file beside theirs.
        """
        if "://" in part.path:
            return _numbered(records.read(part))
        nested = read_nested(part.path)
        rows = records.read(part) if nested is None else flatten(nested)
        if config == "captioning":
            rows = _with_choices(rows, Path(part.path).with_name("multi-choice.json"))
        return _numbered(rows)

    def question(self, record: Any, place: int, *, config: str, subtitles: str | None) -> Question:
        """Make the question of a record of the format `config`."""
        key = "mc_answer" if config == "captioning" else "answer"
        if record.get(key) in (None, ""):
            raise Unusable(f"no usable {key}")
        read = _READERS[config](record)
        if read is None:
            raise Unusable("the answer is none of the options")
        return Question(
            id=f"{self.source}/{config}/{record['video_id']}/{record['dim']}/{record.get('at', place)}",
            source=self.source,
            video=f"{record['video_id']}.mp4",
            category=str(record["dim"]),
            style=STYLES[config],
            official={k: v for k, v in record.items() if k != "at"} | {"task": config},
            **read,
        )

    def parse(self, answer: str, line: Line) -> str | None:
        """Apply the rules of `eval_*.py`; what they leave open, the authors ask ChatGPT (a judge)."""
        said = answer.replace("</s>", "").strip()
        if line["style"] == "yes_no":
            word = next((w for w in ("yes", "no") if said.lower().startswith(w)), "")
            return {"yes": "A", "no": "B"}.get(word)
        if line["style"] == "matching":
            return _named(said, line["labels"], line["options"], line["answer"])
        if line["style"] == "choice" and said[:1] in tuple("ABCD") and said[1:2] in ("", ".", ")"):
            return said[0]
        return None

    def figures(self, lines: Sequence[Line], *, official: bool = False) -> dict[str, float]:
        """Give the accuracy of each format and, by format, of each aspect."""
        found: dict[str, float] = {}
        styles = [style for style in STYLES.values() if any(x["style"] == style for x in lines)]
        for style in styles:
            own = [line for line in lines if line["style"] == style]
            name = "" if len(styles) == 1 else f"{style}: "
            found[f"{name}avg"] = percent(bool(line["correct"]) for line in own)
            found |= {f"{name}{aspect}": value for aspect, value in percents(own).items()}
        return found

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


def _named(said: str, labels: Sequence[str], options: Sequence[str], right: str) -> str | None:
    """Say which caption an answer names, as `eval_rule` does: by its line, its sentence or its label.

    The last of these that fits counts; of a caption that holds ": ", what stands before is compared.
    """
    tail = said.split(") ")[1] if ") " in said else said
    found = None
    for kind, heard in enumerate(((said,), (said, tail), (said, said.replace(".", "")))):
        fits = []
        for letter, label, option in zip(LETTERS, labels, options, strict=False):
            bare = label.replace("Sentence ", "").replace("Option ", "").replace("Caption ", "")
            written = ((f"{label}: {option}",), (option.split(": ")[0],), (label, bare))[kind]
            fits += [letter] if set(written) & set(heard) else []
        if fits:
            found = right if right in fits else fits[-1]
    return found


def flatten(nested: Mapping[str, Any]) -> Iterator[tuple[int, dict[str, Any]]]:
    """Flatten the repository's `{video_id: {dim: [record, …]}}` into numbered records."""
    number = 0
    for video_id, dims in nested.items():
        for dim, found in dims.items():
            for record in found:
                yield number, {"video_id": video_id, "dim": dim, **record}
                number += 1


def _numbered(rows: Iterable[tuple[int, Any]]) -> Iterator[tuple[int, Any]]:
    """Say of each record, as `at`, how many of its video and aspect come before it."""
    seen: Counter[tuple[Any, Any]] = Counter()
    for number, record in rows:
        if isinstance(record, Mapping) and "prompt" not in record:
            place = str(record.get("video_id")), str(record.get("dim"))
            record = {**record, "at": seen[place]}
            seen[place] += 1
        yield number, record


def _with_choices(rows: Iterable[tuple[int, Any]], path: Path) -> Iterator[tuple[int, Any]]:
    """Add the first multiple-choice question of each video and aspect, as `eval_captioning.py` does."""
    choices: dict[str, Any] | None = None
    for number, record in rows:
        if isinstance(record, Mapping) and "mc_answer" not in record:
            if choices is None:
                choices = (read_nested(str(path)) if path.is_file() else None) or {}
            found = choices.get(str(record.get("video_id")), {}).get(record.get("dim"))
            if found:
                first = {"mc_question": found[0]["question"], "mc_answer": found[0]["answer"]}
                record = {**record, **first}
        yield number, record


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
