"""Predictions that another tool wrote, as a run: lmms-eval, VLMEvalKit, the authors' own files, the paper's JSONL.

    run, counts = open_predictions("…_samples_mvbench.jsonl", rows, out="runs/theirs")

>>> _answer({"filtered_resps": [["B"]]}), _answer({"response": float("nan")}), _answer({"why": "B"})
('B', '', None)
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import Any, Literal
from zipfile import BadZipFile

from t2vid._version import __version__
from t2vid.catalog import BENCHMARKS
from t2vid.errors import InputError, MissingFile, RecordError, require
from t2vid.evaluation import asking
from t2vid.evaluation.benchmarks.reader import BenchmarkReader, json_object, reader_of
from t2vid.evaluation.config import EvalConfig
from t2vid.evaluation.matching import QuestionIndex, Row
from t2vid.evaluation.runs import Run
from t2vid.evaluation.sheet import places_as_letters, read_sheet
from t2vid.evaluation.theirs import printed_beside, right_by_them
from t2vid.frames.feature import Frames
from t2vid.schema import Counts
from t2vid.storage import records

_ANSWER_KEYS = (
    *("prediction", "pred", "response", "filtered_resps", "resps", "orig_pred", "predicted"),
    *("predicted_answer", "model_answer", "model_response", "model_output", "output", "generated"),
    *("generation", "completion", "text"),  # the last of LLaVA's answers
    *("messages", "result"),  # of chats, and of Anthropic's batches
)
# Where the replies of model servers hold what was said, outermost first.
_HELD = (
    "body",
    "choices",
    "output",
    "outputs",
    "message",
    "candidates",
    "content",
    "parts",
    "text",
)
_OPTION_KEYS = {"options", "candidates", "choices", "option", "A"}
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
            JSON), the output of a batch of OpenAI or Anthropic, what the scorer of the benchmark's authors reads (a
            file; of TempCompass also the folder with one file a format), or the paper's JSONL of answers.
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
    benchmark = benchmark.cast_column("images", Frames(decode=False))
    # taken apart once; subtitles, the bulk of some benchmarks, tell no question from another
    rows = [*benchmark.select_columns([c for c in benchmark.column_names if c != "subtitles"])]
    ids = Counter(row["id"] for row in rows)
    if twice := [row_id for row_id, n in ids.items() if n > 1]:
        raise InputError(
            f"the benchmark holds {twice[0]!r} {ids[twice[0]]} times; ids must be unique"
        )
    known = {one.name for one in BENCHMARKS}
    readers = [reader_of(name) for name in sorted({row["source"] for row in rows} & known)]
    counts, found, strangers = Counts(), dict[str, tuple[str, bool | None]](), list[Any]()
    index, silent = QuestionIndex(rows), True
    for file in _files(path):
        index.begin(file.name)
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
            told = _answer(record)
            silent = silent and told is None
            found[row_id] = told or "", right_by_them(record)
    if found and silent:
        raise InputError(
            f"no record of {path} holds an answer, called {', '.join(_ANSWER_KEYS)}, or answer where it has no "
            f"options; the last has {list(record)}"
        )
    if not found or (strangers and unmatched == "error"):
        _refuse(path, rows, len(found), strangers)
    said = {row_id: text for row_id, (text, _) in found.items()}
    from_0 = bool(readers) and all(reader.counts_places for reader in readers)
    said = places_as_letters(said, rows, path, from_0=from_0)
    found = {row_id: (said[row_id], theirs) for row_id, (_, theirs) in found.items()}
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
    rows: Sequence[Row],
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
        "benchmark": "+".join(sorted({row["source"] for row in rows})),
        "questions": len(rows),
        "protocol": config.to_dict(),
        "asking_hash": f"unknown: {path.name}",
        "printed": printed_beside(path),
        "t2vid": __version__,
    }
    run = Run.open(out, header)
    (run.folder / "answers.jsonl").unlink(missing_ok=True)  # a file is read whole, not resumed
    with run.writer() as write:
        write(_lines(rows, found, counts))
    return run


def _refuse(path: Path, rows: Sequence[Row], n_found: int, strangers: list[Any]) -> None:
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
    rows: Sequence[Row],
    found: Mapping[str, tuple[str, bool | None]],
    counts: Counts,
) -> Iterator[dict[str, Any]]:
    for place, row in enumerate(rows):
        line = {"place": place, **asking.question_line(row, 0)}
        line |= {"prompt": None, "n_frames": 0, "n_cues": 0, "times_s": []}  # not in such files
        line["fingerprint"] = asking.fingerprint(row, row["images"])
        line["prediction"], line["theirs"] = found.get(row["id"], ("", None))
        if row["id"] not in found:
            counts.drop("not predicted", source=row["source"], example=row["id"])
            line["error"] = "not predicted"
        yield line


def _answer(record: Mapping[str, Any]) -> str | None:
    """Give what the model said, None where no key tells; `answer` of a question with its options is the right one."""
    keys = [key for key in _ANSWER_KEYS if key in record]
    if not keys and not _OPTION_KEYS & record.keys() and "answer" in record:
        keys = ["answer"]
    for key in keys:
        value = record[key]
        while isinstance(value, list) and value:  # lmms-eval nests one answer in two lists
            value = value[-1] if isinstance(value[-1], dict) else value[0]
        if isinstance(value, dict):
            value = _said(value)
        if value is not None and value != []:
            # NaN is an empty cell
            return "" if value != value or value == _FAILED else str(value)
    return "" if keys else None


def _said(reply: Any) -> Any:
    """Give what was said in the reply of a model server, the last of a chat; anything else as it is."""
    inner, place = reply, -1
    while isinstance(inner, (dict, list)):
        if isinstance(inner, list):
            inner = inner[place] if inner else ""
            continue
        held = next((key for key in _HELD if key in inner), None)
        if held is None:
            return reply if inner is reply and "error" not in reply else ""
        place = 0 if held in ("choices", "candidates", "outputs") else -1  # one of several samples
        inner = inner[held]
    return inner or ""


def _records(path: Path, readers: Sequence[BenchmarkReader]) -> Iterator[dict[str, Any]]:
    if path.suffix.lower() == ".xlsx":
        openpyxl = require("openpyxl", extra="eval")
        try:
            book = openpyxl.load_workbook(path, read_only=True)
        except (BadZipFile, KeyError) as error:
            raise RecordError(f"{path} is no workbook, or is cut off: {error}") from error
        table = book.active.iter_rows(values_only=True)
        head = next(table, ())
        # a reader gives short rows where the last cells are empty
        yield from (dict(zip_longest(head, cells)) for cells in table if any(cells))
        book.close()
        return
    if path.suffix == ".json" and (logs := _first_lmms_eval(path)) is not None:
        yield from logs
        return
    lines = path.suffix in (".jsonl", ".csv", ".tsv")
    whole = None if lines else json_object(records.Part(str(path)))
    if whole is not None:
        held = [value for value in whole.values() if isinstance(value, list)]
        if {*_ANSWER_KEYS[:6], "doc_id"} & whole.keys():  # one row
            yield whole
            return
        plain = not any(reader.offers("predicted") for reader in readers)
        if plain and len(held) == 1 and held[0] and all(isinstance(x, dict) for x in held[0]):
            yield from held[0]  # rows below one key, such as "data"
            return
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
