"""From the answers of a run to letters, scores and intervals, every figure traceable to its rows.

>>> row = {"labels": ["Option 1", "Option 2"], "options": ["x", "y"], "style": "matching"}
>>> unlabelled("Option 2.", row)
'B'
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from t2vid import catalog
from t2vid.errors import InputError, MissingFile
from t2vid.evaluation.benchmarks.questions import LETTERS
from t2vid.evaluation.benchmarks.reader import BenchmarkReader, reader_of
from t2vid.evaluation.compare import circular
from t2vid.evaluation.config import EvalConfig
from t2vid.evaluation.explain import explained
from t2vid.evaluation.predictions import Unmatched, open_predictions, open_sheet
from t2vid.evaluation.rows import benchmark_rows
from t2vid.evaluation.runs import Run, video_of
from t2vid.evaluation.theirs import beside_theirs
from t2vid.metrics.counting import counted, same_text
from t2vid.progress import progress
from t2vid.scoring.extract import extract_choice
from t2vid.scoring.judge import Judge, judge_from
from t2vid.scoring.probe import PROBE_THRESHOLD, probe_judge
from t2vid.storage.files import path_of, write_atomically

logger = logging.getLogger(__name__)

Missing = Literal["wrong", "drop"]

JUDGED_AT_ONCE = 512


def score(
    run: Run | str | Path,
    *,
    protocol: EvalConfig | str | Path | None = None,
    scheme: Literal["t2vid", "paper", "official"] | None = None,
    judge: Any = None,
    probe: bool = False,
    probe_threshold: float = PROBE_THRESHOLD,
    benchmark: Any = None,
    data_dir: str | Path | None = None,
    out: str | Path | None = None,
    missing: Missing = "wrong",
    unmatched: Unmatched = "error",
    explain: bool = False,
    confidence: float = 0.95,
    seed: int = 0,
) -> dict[str, Any]:
    """Read the letters of a run and write `judged.jsonl` and `scores.json` beside the answers.

    Args:
        run: the run or its folder; or a file of question, options, right and prediction; with
            `benchmark`, a file of predictions as other tools write them.
        protocol: whose `scheme` and `judge` apply; by default the one of the run.
        scheme: in place of the protocol's: `official` reads and counts as the scorer of the
            benchmark's authors does, mistakes included.
        judge: asked where the rules abstain: a name that `t2vid list judges` tells, or in Python
            what `t2vid.scoring.judge_from` takes; by default the protocol's.
        probe: first run the judge over the labelled answers that ship with t2vid, and stop where
            it is right less often than `probe_threshold`; what it did stands in the scores.
        probe_threshold: share of the labelled answers that the judge must get right; 0 lets any pass.
        benchmark: name, file of questions or dataset of the benchmark that a file of predictions
            answers; not needed where that file holds the questions, too.
        data_dir: folder of that benchmark's files.
        out: folder of the run that is made of a file; by default beside the file.
        missing: a question whose video is missing or broken, or that has no answer, counts as
            wrong, or is dropped (`"drop"`), which the scores and the report say.
        unmatched: a prediction in a file that answers no question is an error, or is dropped.
        explain: also write `explained.txt`: each answer with the characters that decided it, or
            what the rules saw in one that they left open.
        confidence: coverage of the intervals.
        seed: of the bootstrap.

    Returns:
        What `evaluate.load("t2vid/video_mcq", "full")` gives, over every answer; with `errors`
        (questions without an answer: bad videos, refused requests, all counted as wrong),
        `by_source`, `official` (the table of each benchmark's authors, in percent), `theirs` (what
        the tool that wrote a file of predictions said), `without_answer` (questions whose right
        answer is not public, left out), `judge_errors`, `captions_unread` (which name no option, and
        which no judge read), `unfinished` (answers without a letter that
        the server ended early, by its reason) and, for a circular run, `circular`. All of
        it is counted from the rows of `judged.jsonl`.

    Raises:
        InputError: for a file that lacks questions and benchmark, or a judge that fails its probe.
    """
    if missing not in ("wrong", "drop"):
        raise InputError(f"missing ({missing!r}) must be 'wrong' or 'drop'")
    if seed < 0 or not 0 <= probe_threshold <= 1:
        raise InputError(
            f"seed ({seed}) must be >= 0 and probe_threshold ({probe_threshold}) from 0 to 1"
        )
    run = _opened(run, benchmark, data_dir, out, unmatched)
    how = EvalConfig.from_dict(dict(run.header["protocol"]))
    how = EvalConfig.named(protocol) if protocol is not None else how
    how = how.replace(scheme=scheme) if scheme is not None else how
    decider = judge_from(how.judge if judge is None else judge)
    probed = probe_judge(decider, threshold=probe_threshold) if probe else None
    judged = _by_rules(run.answers(), how.scheme)
    if decider is not None and judge is not None:  # the score is that of this judge
        given = judge if isinstance(judge, str) else decider.backend.identity or "function"
        how = how.replace(judge=given if ":" in given else f"given:{given}")
    judge_errors = _by_judge(judged, decider)
    for line in judged:
        if how.scheme == "t2vid" and same_text(line["letter"], line["answer"], line["options"]):
            line["letter"] = line["answer"]
        line["correct"] = bool(line["answer"]) and line["letter"] == line["answer"]
    unasked = [line for line in judged if line.get("error") and not line.get("rotation")]
    kept = judged if missing == "wrong" else [line for line in judged if not line.get("error")]
    shown = [line for line in kept if not line.get("rotation")]
    first = [line for line in shown if line["answer"]]
    settings = {"confidence": confidence, "seed": seed}
    scores = _figures(first, settings)
    names = _sources(first)
    scores["by_source"] = {
        source: _figures([x for x in first if x["source"] == source], settings)
        if len(names) > 1
        else dict(scores)
        for source in names
    }
    official = {source: _official_figures(shown, source, how.scheme) for source in _sources(shown)}
    scores |= {
        "official": {source: found for source, found in official.items() if found},
        "theirs": beside_theirs(first),
        "printed": run.header.get("printed", {}),
        "without_answer": len(shown) - len(first),
        "questions": run.header.get("questions", len(first)),
        "missing": {"questions": len(unasked), "counted_as": missing, "why": _reasons(unasked)},
        "judge_errors": judge_errors,
        "captions_unread": sum(line["style"] == "caption" for line in first) if not decider else 0,
        "unfinished": _unfinished(first),
        "protocol": how.to_dict(),
        "protocol_hash": how.hash,
        "asking_hash": run.header.get("asking_hash", ""),
        "model": run.header.get("model", ""),
        "name": run.name,
    }
    if any("usage" in line for line in judged):
        scores["usage"] = _usage(judged, run.header.get("usd_per_million"))
    if probed is not None:
        scores["judge_probe"] = probed._asdict()
    if how.circular:
        scores["circular"] = circular(kept)
    run.write_jsonl("judged.jsonl", judged)
    run.write_json("scores.json", scores)
    if explain:
        write_atomically(run.folder / "explained.txt", explained(judged, scheme=how.scheme))
    # Not in the file: the folder may be on its way to a URL, or be moved.
    return scores | {"folder": str(run.folder)}


def _opened(
    run: Run | str | Path, benchmark: Any, data_dir: Any, out: Any, unmatched: Unmatched
) -> Run:
    """Open a run, or make one of a file of predictions."""
    if isinstance(run, Run) or (path_of(run) / "run.json").is_file():
        given = {"benchmark": benchmark, "data_dir": data_dir, "out": out}
        if unused := [name for name, value in given.items() if value is not None]:
            raise InputError(
                f"{' and '.join(unused)} belongs to a file of predictions; {run} is a run, which holds "
                "its questions and is scored where it is"
            )
        return Run.read(run)
    path = Path(run)
    if "://" not in str(run) and not path.exists():
        raise MissingFile(f"{run} is not there; give the folder of a run or a file of predictions")
    if not path.exists() or (path.is_dir() and benchmark is None):
        return Run.read(run)  # which says what is missing
    out = out or path.with_name(path.stem + ".run")
    if benchmark is None:
        if data_dir is not None:
            raise InputError(f"data_dir ({data_dir}) belongs to a benchmark; give benchmark=")
        return open_sheet(path, out=out)
    load = {} if data_dir is None else {"data_dir": str(data_dir)}
    benchmark, _ = benchmark_rows(benchmark, load)
    made, counts = open_predictions(path, benchmark, out=out, unmatched=unmatched)
    if counts.dropped:
        logger.warning(
            "%s: %s", path, ", ".join(f"{n:,} {why}" for why, n in counts.dropped.items())
        )
    return made


def _usage(lines: Sequence[Mapping[str, Any]], price: Sequence[float] | None) -> dict[str, Any]:
    """Sum the tokens of prompts and answers, and what they cost where the price is known."""
    names = ("prompt_tokens", "completion_tokens")
    spent: dict[str, Any] = {
        name: sum(int((line.get("usage") or {}).get(name, 0)) for line in lines) for name in names
    }
    if price is not None:
        spent["usd"] = sum(spent[n] * p / 1e6 for n, p in zip(names, price, strict=True))
    return spent


def _unfinished(lines: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """Count answers without a letter that the server ended early, by its word for why."""
    cut = (line["finish"] for line in lines if line.get("finish") and not line["letter"])
    return dict(Counter(cut).most_common())


def _reasons(unasked: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """Count errors by their kind, which stands before the first colon."""
    return dict(Counter(str(line["error"]).partition(":")[0] for line in unasked).most_common())


def unlabelled(prediction: str, line: Mapping[str, Any]) -> str:
    """Write an answer such as "Option 2" or "Caption B." as the letter it means."""
    said = prediction.strip().rstrip(".").casefold()
    for letter, label in zip(LETTERS, line.get("labels") or (), strict=False):
        if said == label.casefold() or said.startswith(label.casefold() + ":"):
            return letter
    return prediction


def _by_rules(lines: list[dict[str, Any]], scheme: Any) -> list[dict[str, Any]]:
    """Read the letters that the rules can read; a caption names no option, so it is left open."""
    judged = []
    for line in lines:
        if scheme == "official":
            judged.append({**line, **_officially(line)})
            continue
        said = "" if line["style"] == "caption" else unlabelled(line["prediction"], line)
        found = extract_choice(said, line["options"] or None, line["question"], scheme=scheme)
        span = found.span if said is line["prediction"] else None
        judged.append({**line, "letter": found.letter, "rule": found.rule, "span": span})
    return judged


def _officially(line: Mapping[str, Any]) -> dict[str, Any]:
    """Read a letter as the scorer of the benchmark's authors does."""
    reader = _reader(line["source"])
    if reader is None or not reader.offers("parse"):
        able = [one.name for one in catalog.BENCHMARKS if reader_of(one.name).offers("parse")]
        raise InputError(
            f"scheme 'official' is not known of {line['source']!r}, only of {able}; use 't2vid'"
        )
    letter = None if line.get("error") else reader.parse(line["prediction"], line)
    return {"letter": letter, "rule": "official" if letter else "official: none", "span": None}


def _reader(source: str) -> BenchmarkReader | None:
    known = any(one.name == source for one in catalog.BENCHMARKS)
    return reader_of(source) if known else None


def _official_figures(
    lines: Sequence[Mapping[str, Any]], source: str, scheme: str
) -> dict[str, float]:
    reader = _reader(source)
    own = [line for line in lines if line["source"] == source]
    return reader.figures(own, official=scheme == "official") if reader else {}


def _sources(lines: Sequence[Mapping[str, Any]]) -> list[str]:
    return sorted({line["source"] for line in lines})


def _by_judge(judged: list[dict[str, Any]], judge: Judge | None) -> int:
    """Let the judge decide what is open; give the number of answers on which it failed."""
    if judge is None:
        return 0
    errors = 0
    undecided = [line for line in judged if line["letter"] is None and line["prediction"].strip()]
    for start in progress(range(0, len(undecided), JUDGED_AT_ONCE), desc="judge", unit="batch"):
        batch = undecided[start : start + JUDGED_AT_ONCE]
        cases = [(line["question"], line["options"], line["prediction"]) for line in batch]
        for line, verdict in zip(batch, judge.decide(cases), strict=True):
            line["letter"], failed = verdict.letter, bool(verdict.error)
            line["rule"] = "judge_error" if failed else "judge" if verdict.letter else "judge: none"
            errors += failed
    return errors


def _figures(judged: Sequence[Mapping[str, Any]], settings: Mapping[str, Any]) -> dict[str, Any]:
    """Give the figures of judged rows: the metric counts the letters that stand in them."""
    if not judged:
        return {"accuracy": None, "n": 0, "guessing": None, "errors": 0, "decided_by": {}}
    rows = {
        "predictions": [line["letter"] or "" for line in judged],
        "references": [line["answer"] for line in judged],
        "options": [line["options"] for line in judged],
        "category": [line["category"] or "" for line in judged],
        "duration": [line["duration"] or "" for line in judged],
        "video": [video_of(line) for line in judged],
    }
    figures = counted(lambda: [rows], **settings)
    figures["decided_by"] = dict(Counter(line["rule"] for line in judged).most_common())
    counts = [len(line["options"]) for line in judged]
    # Nobody guesses among options that are not told.
    figures["guessing"] = sum(1 / n for n in counts) / len(counts) if all(counts) else None
    figures["errors"] = sum(bool(line.get("error")) for line in judged)
    styles = Counter(line["style"] for line in judged)
    return figures | ({"styles": dict(styles)} if len(styles) > 1 else {})
