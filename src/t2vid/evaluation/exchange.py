"""Other people's files: results in the official layouts, predictions of lmms-eval and VLMEvalKit.

    export(run, "video_mme", "results.json")             # for Video-MME's eval_your_results.py
    export(run, "tempcompass", "predictions/mine")       # for TempCompass's eval_*.py
    run = read_predictions("…_samples_mvbench.jsonl", benchmark, out="runs/theirs")

>>> sorted(exporters())[:4]
['egoschema', 'longvideobench', 'lvbench', 'mlvu']
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from t2vid.catalog import BENCHMARKS, unknown
from t2vid.errors import InputError
from t2vid.evaluation.benchmarks.reader import reader_of
from t2vid.evaluation.predictions import Unmatched, open_predictions
from t2vid.evaluation.report import scores_of
from t2vid.evaluation.runs import Run
from t2vid.evaluation.score import score
from t2vid.schema import Counts

Exporter = Callable[[Sequence[Mapping[str, Any]], Path], list[Path]]


def export(run: Run | str | Path, layout: str, out: str | Path) -> list[Path]:
    """Write the answers of a run in an official layout.

    Args:
        run: the run or its folder.
        layout: name of a benchmark, for what its authors' scorer reads (docs/benchmarks.md shows
            each), or `t2vid` for the paper's JSONL of answers.
        out: file, for `tempcompass` the folder.

    Raises:
        InputError: for an unknown layout, or a run without questions of that benchmark.
    """
    layouts = exporters()
    if layout not in layouts:
        raise unknown("layout", layout, layouts)
    run = Run.read(run)
    scores_of(run)  # several layouts take letters, and those stand in the judged lines
    lines = [line for line in run.judged() if not line.get("rotation")]
    lines.sort(key=lambda line: line["place"])
    if layout != "t2vid":
        lines = [line for line in lines if line["source"] == layout]
    if not lines:
        raise InputError(f"{run.folder} holds no answers to {layout} questions")
    path = Path(out)
    path.parent.mkdir(parents=True, exist_ok=True)
    return layouts[layout](lines, path)


def read_predictions(
    path: str | Path,
    benchmark: Any,
    *,
    out: str | Path,
    name: str = "",
    unmatched: Unmatched = "error",
) -> tuple[Run, Counts]:
    """Make a run of predictions that another tool wrote, and score it with our rules.

    Takes, returns and raises what `t2vid.evaluation.predictions.open_predictions` does.
    """
    run, counts = open_predictions(path, benchmark, out=out, name=name, unmatched=unmatched)
    score(run)
    return run, counts


def _export_t2vid(lines: Sequence[Mapping[str, Any]], path: Path) -> list[Path]:
    with open(path, "w", encoding="utf-8") as file:
        for line in lines:
            record = json.loads(line["official"] or "{}")
            answer = {
                "question_id": record.get("question_id", line["id"]),
                "prompt": line["prompt"],
                "pred": line["prediction"],
                "GT": line["answer"],
                "category": line["category"],
            }
            file.write(json.dumps(answer, ensure_ascii=False) + "\n")
    return [path]


def exporters() -> dict[str, Exporter]:
    """Give what writes each layout: the paper's, and that of every benchmark that has one."""
    readers = {one.name: reader_of(one.name) for one in BENCHMARKS}
    own = {name: reader.export for name, reader in readers.items() if reader.offers("export")}
    return {"t2vid": _export_t2vid, **own}
