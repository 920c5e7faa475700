"""Score TempCompass' published predictions from a checkout of its repository, beside the totals it publishes.

git clone https://github.com/llyx97/TempCompass
python benchmarks/tempcompass.py TempCompass
"""

import argparse
import json
import tempfile
from pathlib import Path

import datasets
from datasets import load_dataset

import t2vid  # noqa: F401  (registers t2vid/tempcompass)
from t2vid.evaluation.exchange import read_predictions

TASKS = ("multi-choice", "yes_no", "caption_matching")


def published(folder: Path, model: str, task: str) -> float | None:
    """Return the share of answers that the authors' rules and ChatGPT called right, where it is there."""
    path = folder / "auto_eval_results" / model / f"{task}.json"
    if not path.is_file():
        return None
    rated = [
        record["rating"]
        for dims in json.loads(path.read_text("utf-8")).values()
        for records in dims.values()
        for record in records
    ]
    return sum(map(bool, rated)) / len(rated)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    datasets.disable_progress_bars()
    print("| model | format | questions | t2vid | published | left open | not matched |")
    print("|---|---|---|---|---|---|---|")
    for task in TASKS:
        rows = load_dataset("t2vid/tempcompass", task, data_dir=str(folder), split="test")
        for model in sorted(p.name for p in (folder / "predictions").iterdir()):
            path = folder / "predictions" / model / f"{task}.json"
            if not path.is_file():
                continue
            with tempfile.TemporaryDirectory() as out:
                run, counts = read_predictions(path, rows, out=out)
                scores = json.loads((run.folder / "scores.json").read_text())
            theirs = published(folder, model, task)
            beside = "–" if theirs is None else f"{100 * theirs:.2f}"
            print(
                f"| {model} | {task} | {scores['n']:,} | {100 * scores['accuracy']:.2f} | {beside} | "
                f"{scores['unanswered']} | {sum(counts.dropped.values())} |"
            )


if __name__ == "__main__":
    main()
