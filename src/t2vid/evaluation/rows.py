"""The rows of the benchmark that a user named: a builder's, a file of questions, or rows in hand.

>>> benchmark_rows("nosuch.jsonl", {})
Traceback (most recent call last):
t2vid.errors.MissingFile: nosuch.jsonl is not there; give a file of questions, or a name
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from t2vid import catalog
from t2vid.errors import InputError, MissingFile, T2VidError
from t2vid.evaluation.benchmarks.questions import features
from t2vid.frames.feature import Frames
from t2vid.frames.together import is_blank

_ASKED = ("question", "options", "answer")


def benchmark_rows(benchmark: Any, load: Mapping[str, Any]) -> tuple[Any, str]:
    """Give the rows of a benchmark with frames left as they are stored, and its name.

    Args:
        benchmark: a dataset of a benchmark builder, the name of one, a file of questions, or a list
            of such rows.
        load: for one by name, arguments of `load_dataset`; videos of a file of questions are by
            default looked for below its folder.
    """
    if isinstance(benchmark, str):
        from datasets import load_dataset
        from datasets.exceptions import DatasetGenerationError

        if Path(benchmark).is_file():
            videos = load.get("data_dir") or str(Path(benchmark).parent)
            more = {key: value for key, value in load.items() if key != "data_dir"}
            benchmark, load = (
                "t2vid/questions",
                {"data_files": benchmark, "video_dir": videos, **more},
            )
        elif Path(benchmark).suffix in (".jsonl", ".json", ".csv", ".parquet"):
            raise MissingFile(f"{benchmark} is not there; give a file of questions, or a name")
        else:
            benchmark, load = _named(benchmark, load)
        try:
            benchmark = load_dataset(benchmark, **{"split": "test", **load})
        except T2VidError:
            raise
        # what an unknown split or config, and a folder without rows raise
        except (ValueError, FileNotFoundError, DatasetGenerationError) as error:
            why = error.__cause__ or error
            raise InputError(f"{benchmark!r} cannot be read as a benchmark: {why}") from error
    elif isinstance(benchmark, list):
        from datasets import Dataset

        benchmark = Dataset.from_list(benchmark, features=features(Frames()))
    if lacking := sorted({"id", "source", "images", *_ASKED} - {*benchmark.column_names}):
        raise InputError(
            f"the rows lack the columns {', '.join(lacking)} of a benchmark; load it by name, or "
            "give a file of questions"
        )
    benchmark = benchmark.cast_column("images", Frames(decode=False))
    sources = sorted({*benchmark["source"]}) if len(benchmark) else []
    return benchmark, "+".join(sources) or "benchmark"


def check_videos(rows: Any) -> None:
    """Refuse questions about videos that come without any: asked blind, they would still give a score.

    Raises:
        InputError: where no question that names a video has a path to one.
    """
    named = sum(map(bool, rows["video"])) if "video" in rows.column_names else 0
    if named and all(map(is_blank, rows["images"])):
        raise InputError(
            f"none of the {named:,} questions comes with its video; say where the videos are "
            "(--data-dir FOLDER, data_dir= in Python), or ask without frames: --protocol t2vid+blind"
        )


def _named(benchmark: str, load: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
    """Say what `load_dataset` calls a benchmark; a folder of such a name does not hide it."""
    name, _, config = benchmark.partition("@")
    plain = name.removeprefix("t2vid/")
    if not catalog.match(catalog.BENCHMARKS, plain) and Path(benchmark).exists():
        return benchmark, load
    return catalog.benchmark_dataset(name), {**({"name": config} if config else {}), **load}
