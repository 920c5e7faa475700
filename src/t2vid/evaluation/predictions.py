"""Predictions that another tool wrote, as a run: lmms-eval, VLMEvalKit, the authors' own files, the paper's JSONL.

    run, counts = open_predictions("…_samples_mvbench.jsonl", rows, out="runs/theirs")

>>> _answer({"filtered_resps": [["B"]]}), _answer({"response": float("nan")})
('B', '')
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import zip_longest
from pathlib import Path
from typing import Any, Literal
from zipfile import BadZipFile

from t2vid._version import __version__
from t2vid.catalog import BENCHMARKS
from t2vid.errors import InputError, MissingFile, RecordError, require
from t2vid.evaluation import asking
from t2vid.evaluation.benchmarks.questions import LETTERS, split_options
from t2vid.evaluation.benchmarks.reader import BenchmarkReader, json_object, reader_of
from t2vid.evaluation.config import EvalConfig
from t2vid.evaluation.runs import Run
from t2vid.evaluation.sheet import read_sheet
from t2vid.evaluation.theirs import printed_beside, right_by_them
from t2vid.frames.feature import Frames
from t2vid.frames.framelist import FrameList
from t2vid.schema import Counts
from t2vid.storage import records
from t2vid.storage.videos import stem_of

_HEADING = re.compile(r"\boptions?:\s*(?=\n)", re.IGNORECASE)
_ANSWER_KEYS = ("prediction", "pred", "response", "filtered_resps", "resps", "orig_pred")
_ID_KEYS = ("question_id", "id", "question_idx", "q_uid", "qid", "uid")
_VIDEO_KEYS = ("videoID", "video", "video_id", "video_idx", "video_name", "video_path")
# What a failed request leaves in VLMEvalKit's tables.
_FAILED = "Failed to obtain answer via API."


Unmatched = Literal["error", "drop"]


def open_predictions(
    path: str | Path,
    benchmark: Any,
    *,
    out: str | Path,
    name: str = "",
    unmatched: Unmatched = "error",
) -> tuple[Run, Counts]:
    """Make a run of predictions that another tool wrote.

    Args:
        path: samples of lmms-eval (JSONL, or the JSON of its first versions), a table of VLMEvalKit (TSV, CSV, XLSX,
            JSON), what the scorer of the benchmark's authors reads (a file; of TempCompass also the folder with one
            file a format), or the paper's JSONL of answers.
        benchmark: dataset of the benchmark builder, whose questions and right letters count.
        out: folder of the run.
        name: what tables call it; by default the name of the file.
        unmatched: a prediction that answers no question is an error, or is dropped and counted.

    Returns:
        The run, and what was matched: predictions are matched by question id, else by video, question and options,
        else by prompt; a question without a prediction is counted as `not predicted` and as wrong. What the tool said
        of its answers itself stands in the run, too, and is compared with ours by `score`.

    Raises:
        InputError: where a prediction matches no question; the message shows some, and a question.
    """
    if unmatched not in ("error", "drop"):
        raise InputError(f"unmatched ({unmatched!r}) must be 'error' or 'drop'")
    path = Path(path)
    rows = benchmark.cast_column("images", Frames(decode=False))
    known = {one.name for one in BENCHMARKS}
    readers = [reader_of(name) for name in sorted({*rows["source"]} & known)]
    counts, found, strangers = Counts(), dict[str, tuple[str, bool | None]](), list[Any]()
    for file in _files(path):
        index = _Index(rows, file.name)
        for place, record in enumerate(_records(file, readers or [BenchmarkReader()])):
            row_id = index.find(record)
            if row_id is None:
                counts.drop("matches no question", source=file.name, example=f"row {place:,}")
                strangers.append(record)
                continue
            if row_id in found:
                counts.drop("answered again, the last one counts", source=file.name, example=row_id)
            else:
                counts.keep(source=file.name)
            found[row_id] = _answer(record), right_by_them(record)
    if not found or (strangers and unmatched == "error"):
        _refuse(path, rows, len(found), strangers)
    return _written(path, rows, found, counts, out, name), counts


def open_sheet(path: str | Path, *, out: str | Path, name: str = "") -> Run:
    """Make a run of a table that holds the questions, the right answers and what a model said.

    Args:
        path: a table (CSV, TSV, XLSX, JSON, JSONL) of question, options, right and prediction.
        out: folder of the run.
        name: what tables call it; by default the name of the file.

    Raises:
        InputError: where a row cannot be used; the message shows the columns.
    """
    path = Path(path)
    rows, said = read_sheet(_records(path, [BenchmarkReader()]), path)
    found: dict[str, tuple[str, bool | None]] = {key: (text, None) for key, text in said.items()}
    return _written(path, rows, found, Counts(), out, name)


def _written(
    path: Path,
    rows: Any,
    found: Mapping[str, tuple[str, bool | None]],
    counts: Counts,
    out: str | Path,
    name: str,
) -> Run:
    config = EvalConfig(prompt="{question}")
    header = {
        "name": name or path.stem,
        "model": name or path.stem,
        "model_identity": "predictions read from a file",
        "benchmark": "+".join(sorted({*rows["source"]})),
        "questions": len(rows),
        "protocol": config.to_dict(),
        "asking_hash": f"unknown: {path.name}",
        "printed": printed_beside(path),
        "t2vid": __version__,
    }
    run = Run.open(out, header)
    (run.folder / "answers.jsonl").unlink(missing_ok=True)  # a file is read whole, not resumed
    with run.writer() as write:
        write(_lines(rows, found, config, counts))
    return run


def _refuse(path: Path, rows: Any, n_found: int, strangers: list[Any]) -> None:
    asked = f"{rows[0]['id']}: {rows[0]['question'][:80]!r}" if len(rows) else "no questions"
    some = [json.dumps(one, ensure_ascii=False, default=str)[:160] for one in strangers[:3]]
    told = f"{len(strangers):,} of {n_found + len(strangers):,} predictions in {path}"
    move = "give the benchmark and config that was predicted"
    move += ', or unmatched="drop" to leave them out' if n_found else ""
    raise InputError(
        f"{told} match none of the {len(rows):,} questions, such as {'; '.join(some)}; the benchmark asks "
        f"{asked}: {move}"
    )


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    found = sorted(file for file in path.iterdir() if file.suffix in (".json", ".jsonl"))
    if not found:
        raise MissingFile(f"{path} holds no predictions (*.json, *.jsonl); give a file")
    return found


def _lines(
    rows: Any, found: Mapping[str, tuple[str, bool | None]], config: EvalConfig, counts: Counts
) -> Iterator[dict[str, Any]]:
    for place, row in enumerate(rows):
        line = {"id": row["id"], "place": place, **asking.ask(row, 0, FrameList(), config).line}
        line["prompt"] = None  # what was asked is not in such files
        line["fingerprint"] = asking.fingerprint(row, row["images"])
        line["prediction"], line["theirs"] = found.get(row["id"], ("", None))
        if row["id"] not in found:
            counts.drop("not predicted", source=row["source"], example=row["id"])
            line["error"] = "not predicted"
        yield line


class _Index:
    """Finds the question that a foreign record answers.

    Args:
        rows: of the benchmark.
        file: name of the predictions, which names the task where lmms-eval wrote it.
    """

    def __init__(self, rows: Any, file: str) -> None:
        self.by_name: dict[str, str] = {}
        self.by_content: dict[tuple[str, ...], str] = {}
        # by the question as its own file writes it; one that is asked twice of a video is answered in that order
        self.by_asked: dict[tuple[str, ...], list[str]] = {}
        self.by_video: dict[str, list[str]] = {}
        self.in_order: list[tuple[str, str]] = []  # (id, what the prompt of it must hold)
        self.by_options: dict[str, list[tuple[str, str]]] = {}  # the same by the options alone
        apart = {one.name for one in BENCHMARKS if one.file_per_category}
        placed = zip(
            rows["source"], rows["category"], strict=True
        )  # columns: no row is taken apart
        categories = {category for source, category in placed if source in apart}
        named = max((name for name in categories if name and name in file), key=len, default=None)
        others: dict[str, list[str]] = {}
        for row in rows:
            self.by_name[row["id"].partition("/")[2]] = row["id"]
            official = json.loads(row["official"] or "{}")
            for key in _ID_KEYS:
                if official.get(key) is not None:
                    others.setdefault(str(official[key]), []).append(row["id"])
            videos = {official.get(key) for key in ("videoID", "video_id", "video")} | {
                row["video"]
            }
            asked = official.get("question") or row["question"]
            for video in {_video(str(video)) for video in videos - {None}}:
                place = _content(video, str(asked), ())
                if row["id"] not in (ids := self.by_asked.setdefault(place, [])):
                    ids.append(row["id"])
                self.by_content[_content(video, row["question"], row["options"])] = row["id"]
                self.by_video.setdefault(video, []).append(row["id"])
            if named is None or row["category"] == named:
                said = row["id"], _plain([row["question"], *row["options"]])
                self.in_order.append(said)
                self.by_options.setdefault(_plain(row["options"]), []).append(said)
        # ids of the official records, where one belongs to one question; of another video it is another's
        self.by_alias = {name: ids[0] for name, ids in others.items() if len({*ids}) == 1}

    def find(self, record: Mapping[str, Any]) -> str | None:
        """Give the id, None where nothing or more than one question fits."""
        inner = [value for value in record.values() if isinstance(value, dict)]
        flat: dict[str, Any] = {}
        for part in (*inner, record):  # lmms-eval puts the id of Video-MME into its metric
            flat |= part
        flat |= {key: value for key, value in (flat.get("doc") or {}).items() if key not in flat}
        video = _video(str(next((flat[key] for key in _VIDEO_KEYS if flat.get(key)), "")))
        for key in _ID_KEYS:
            if str(flat.get(key)) in self.by_name:
                return self.by_name[str(flat[key])]
            row_id = self.by_alias.get(str(flat.get(key)))
            if row_id is not None and (not video or row_id in self.by_video.get(video, ())):
                return row_id
        if isinstance(record.get("input"), str):
            return self._by_prompt(record["input"], record.get("doc_id"))
        question, options = _question(flat)
        found = self.by_content.get(_content(video, question, options))
        if found is None and not options:  # TempCompass's yes_no and caption_matching files
            ids = self.by_asked.get(_content(video, str(flat.get("question") or ""), ()), [])
            found = ids.pop(0) if len(ids) > 1 else ids[0] if ids else None
        if (
            found is None and not question
        ):  # of a video that one question asks about, as EgoSchema's
            ids = self.by_video.get(video, [])
            found = ids[0] if len(ids) == 1 else None
        return found

    def _by_prompt(self, prompt: str, place: Any) -> str | None:
        """Find by the row number, where the prompt agrees, else by a prompt that only one has."""
        question, options = split_options(_HEADING.sub("", prompt))
        if not options:
            question, options = prompt, {}
        told = _plain([question, *options.values()])
        if isinstance(place, int) and 0 <= place < len(self.in_order):
            row_id, said = self.in_order[place]
            if _holds(told, said):
                return row_id
        alike = self.by_options.get(_plain(options.values()), []) if options else self.in_order
        fitting = [row_id for row_id, said in alike if _holds(told, said)]
        return fitting[0] if len(fitting) == 1 else None


def _question(record: Mapping[str, Any]) -> tuple[str, list[str]]:
    question = str(record.get("question") or "")
    options = record.get("candidates", record.get("options"))
    if isinstance(options, str):  # VLMEvalKit writes the list as text
        try:
            options = ast.literal_eval(options)
        except (ValueError, SyntaxError):
            options = options.split("\n")
    if options is None and all(record.get(letter) for letter in "AB"):
        options = [record[letter] for letter in LETTERS if record.get(letter) not in (None, "")]
    if options is None:
        question, lettered = split_options(question)
        return question, list(lettered.values())
    _, lettered = split_options("\n".join(map(str, options)))
    return question, list(lettered.values()) if len(lettered) == len(options) else list(options)


def _content(video: str, question: str, options: Iterable[str]) -> tuple[str, ...]:
    return (video, _plain([question, *options]))


def _video(name: str) -> str:
    """Write the name of a video so that its folder, its suffix, and zeros that Excel takes off do not matter."""
    stem = stem_of(Path(name).name)
    return stem.lstrip("0") if stem.isdecimal() else stem


def _plain(texts: Iterable[str]) -> str:
    """Write question and options so that blanks, case and a last full stop do not matter."""
    return "\n".join(" ".join(str(text).split()).rstrip(".").casefold() for text in texts)


def _holds(told: str, said: str) -> bool:
    """Say whether a prompt ends with a question and its options; words may stand before."""
    return told == said or told.endswith(" " + said)


def _answer(record: Mapping[str, Any]) -> str:
    for key in _ANSWER_KEYS:
        value = record.get(key)
        while isinstance(value, list) and value:  # lmms-eval nests one answer in two lists
            value = value[0]
        if value is not None and value != []:
            # NaN is an empty cell
            return "" if value != value or value == _FAILED else str(value)
    return ""


def _records(path: Path, readers: Iterable[BenchmarkReader]) -> Iterator[dict[str, Any]]:
    if path.suffix == ".xlsx":
        openpyxl = require("openpyxl", extra="eval")
        try:
            book = openpyxl.load_workbook(path, read_only=True)
        except (BadZipFile, KeyError) as error:
            raise RecordError(f"{path} is no workbook, or is cut off: {error}") from error
        table = book.active.iter_rows(values_only=True)
        head = next(table)
        # a reader gives short rows where the last cells are empty
        yield from (dict(zip_longest(head, cells)) for cells in table if any(cells))
        book.close()
        return
    if path.suffix == ".json" and (logs := _first_lmms_eval(path)) is not None:
        yield from logs
        return
    lines = path.suffix in (".jsonl", ".csv", ".tsv")
    whole = None if lines else json_object(records.Part(str(path)))
    if whole is not None and not {*_ANSWER_KEYS, "doc_id"} & whole.keys():
        for key, value in whole.items():
            for reader in readers:
                yield from reader.predicted(key, value)
        return
    rows = records.read(str(path))
    for number, record in rows:
        if not isinstance(record, dict):
            why = record.reason if isinstance(record, records.BadRow) else str(record)
            raise RecordError(f"{path} row {number:,} is no object: {why:.100}")
        if isinstance(record.get("questions"), list):  # Video-MME's results file
            yield from ({**record, **question} for question in record["questions"])
        else:
            yield record


def _first_lmms_eval(path: Path) -> list[dict[str, Any]] | None:
    """Read the `logs` of lmms-eval before 0.3, one JSON file a task; None where the file is of another kind."""
    with open(path, "rb") as file:
        if b'"logs"' not in file.read(1 << 20):
            return None
        file.seek(0)
        try:
            read = json.load(file)
        except ValueError:
            return None
    logs = read.get("logs") if isinstance(read, dict) else None
    return logs if isinstance(logs, list) else None
