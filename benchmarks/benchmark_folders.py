"""Folders of every benchmark at its public size, invented rows over empty videos: do they load and score, and how fast?

    python benchmarks/benchmark_folders.py            # all, into a temporary folder
    python benchmarks/benchmark_folders.py mlvu nextqa

Prints a row a builder and configuration: questions, CPU seconds of `load_dataset`, rows a second, and CPU seconds of
`score` on a log of lmms-eval that answers all of them, the last first; at the end, those on 50,000 rows with options.
"""

from __future__ import annotations

import csv
import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

Rows = list[dict[str, Any]]
WORDS = "kite drone boat lamp rope map drum horse bridge river".split()


def options(number: int, n: int) -> list[str]:
    """Give `n` different options."""
    return [f"the {WORDS[(number + k) % 10]} number {k}" for k in range(n)]


def lettered(texts: list[str], form: str = "{}. {}") -> list[str]:
    """Write options with their letters."""
    return [form.format("ABCDEFGHIJ"[place], text) for place, text in enumerate(texts)]


def write(path: Path, rows: Any) -> None:
    """Write JSON, JSONL, CSV or Parquet, by the suffix."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".parquet":
        import pyarrow as pa
        import pyarrow.parquet as pq

        pq.write_table(pa.Table.from_pylist(rows), path)
    elif path.suffix == ".csv":
        with open(path, "w", newline="") as file:
            table = csv.DictWriter(file, list(rows[0]))
            table.writeheader()
            table.writerows(rows)
    elif path.suffix == ".jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    else:
        path.write_text(json.dumps(rows))


def videos(folder: Path, names: set[str]) -> None:
    """Make empty files."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).touch()


def video_mme_v2(root: Path) -> None:
    """800 videos, a group of four questions each."""
    chains = ["[1, 2, 3, 4]", "[1, [2, 3], 4]", "[[1, 2], 3, 4]"]
    rows = []
    for video in range(1, 801):
        for k in range(1, 5):
            last = k == 4
            rows.append(
                {
                    "video_id": f"{video:03}",
                    "url": "https://www.youtube.com/watch?v=invented",
                    "group_type": "relevance" if video % 2 else "logic",
                    "group_structure": chains[0 if video % 2 else video // 2 % 3],
                    "question_id": f"{video:03}-{k}",
                    "question": f"Invented question {k} about {video}?",
                    "options": "\n".join(lettered(options(video + k, 8))),
                    "answer": "ABCDEFGH"[(video * 3 + k) % 8],
                    "level": str(1 + video % 3) if last else "None",
                    "second_head": f"head {video % 5}" if last else "None",
                    "third_head": f"part {video % 11}" if last else "None",
                }
            )
    write(root / "test.parquet", rows)
    videos(root / "videos", {f"{video:03}.mp4" for video in range(1, 801)})
    word = {"text": "word", "start_time": 0.5, "end_time": 0.7}
    for video in range(1, 801):
        write(root / "subtitle" / f"{video:03}.jsonl", [word] * 50)


def longvideobench(root: Path) -> None:
    """1,337 questions with answers, 5,341 without."""
    for name, n in (("lvb_val", 1337), ("lvb_test_wo_gt", 5341)):
        rows = [
            {
                "id": f"vid{at // 2}_{at % 2}",
                "video_id": f"vid{at // 2}",
                "video_path": f"vid{at // 2}.mp4",
                "subtitle_path": f"vid{at // 2}_en.json",
                "question": f"While lamp {at} is on screen, what happens?",
                "candidates": options(at, 2 + at % 4),
                **({"correct_choice": at % 2} if name == "lvb_val" else {}),
                "duration": 14.0 + at,
                "duration_group": [15, 60, 600, 3600][at % 4],
                "question_category": ["S2E", "T3O", "TAA"][at % 3],
                "starting_timestamp_for_subtitles": 0.0,
            }
            for at in range(n)
        ]
        write(root / f"{name}.json", rows)
        videos(root / "videos", {row["video_path"] for row in rows})
        for row in rows:
            cues = [{"start": "00:00:01.000", "end": "00:00:03.500", "line": "Words."}]
            write(root / "subtitles" / row["subtitle_path"], cues)


def mlvu(root: Path) -> None:
    """Seven files, 2,175 questions."""
    sizes = [539, 355, 352, 206, 259, 200, 264]
    names = "1_plotQA 2_needle 3_ego 4_count 5_order 6_anomaly_reco 7_topic_reasoning".split()
    for name, n in zip(names, sizes, strict=True):
        task = "findNeedle" if name == "2_needle" else name[2:]
        rows = []
        for at in range(n):
            texts = options(at, 4)
            rows.append(
                {
                    "video": f"{name}_{at}.mp4",
                    "duration": 200 + at,
                    "question": f"What is {name} {at}?",
                    "candidates": texts,
                    "answer": texts[at % 4] if (task, at // 2) != ("findNeedle", 0) else "none",
                    "question_type": task,
                }
            )
        write(root / "json" / f"{name}.json", rows)
        videos(root / "video" / name, {row["video"] for row in rows})


def lvbench(root: Path) -> None:
    """103 videos, 1,549 questions."""
    kinds = [
        "key information retrieval",
        "event understanding",
        "summarization",
        "entity recognition",
        "reasoning",
        "temporal grounding",
    ]
    rows: Rows = [{"key": f"zzLV{at:07}", "type": "cartoon", "qa": []} for at in range(103)]
    for at in range(1549):
        text = "\n".join([f"What about {at}?", *lettered(options(at, 4), "({}) {}")])
        kind = [kinds[at % 6], *([kinds[(at + 2) % 6]] if at % 3 == 0 else [])]
        answer = {"uid": str(at), "answer": "ABCD"[at % 4], "time_reference": "00:15-00:19"}
        rows[at % 103]["qa"].append({**answer, "question": text, "question_type": kind})
    write(root / "video_info.meta.jsonl", rows)
    videos(root / "videos", {f"{row['key']}.mp4" for row in rows})


def egoschema(root: Path) -> None:
    """5,031 questions, 500 answers."""
    uids = [f"{at:08}-0000-4000-8000-000000000000" for at in range(5031)]
    rows = [
        {"q_uid": uid, "question": "What does c do?"}
        | {f"option {k}": text for k, text in enumerate(options(at, 5))}
        for at, uid in enumerate(uids)
    ]
    write(root / "questions.json", rows)
    write(root / "subset_answers.json", {uid: at % 5 for at, uid in enumerate(uids[:500])})
    videos(root / "videos", {f"{uid}.mp4" for uid in uids})


def nextqa(root: Path) -> None:
    """8,564 and 4,996 questions."""
    kinds = "CW CH TN TP TC DC DL DO".split()
    for name, n in (("test", 8564), ("val", 4996)):
        rows = [
            {"video": 2_000_000_000 + at // 8, "frame_count": 900, "width": 640, "height": 480}
            | {"question": f"why did it stop {at}", "answer": at % 5, "qid": at % 8}
            | {"type": kinds[at % 8]}
            | {f"a{k}": text for k, text in enumerate(options(at, 5))}
            for at in range(n)
        ]
        write(root / f"{name}.csv", rows)
    videos(root / "NExTVideo" / "0000", {f"{2_000_000_000 + at}.mp4" for at in range(1071)})


def perception_test(root: Path) -> None:
    """19,140 questions about 5,900 videos."""
    rows = [
        {
            "video_name": f"video_{at % 5900}",
            "question": f"How many cups {at}?",
            "question_id": str(at // 5900),
            "options": options(at, 3),
            "answer_id": str(at % 3),
            "area": ["memory", "physics", "semantics", "abstraction"][at % 4],
            "reasoning": "descriptive",
            "tag": ["motion"],
        }
        for at in range(19140)
    ]
    write(root / "mc_question_val" / "validation-00000-of-00001.parquet", rows)
    videos(root / "videos", {f"video_{at}.mp4" for at in range(5900)})


def questions(root: Path) -> None:
    """10,000 questions of one's own."""
    rows = [
        {"id": f"q{at}", "video": f"{at % 2000}.mp4", "question": f"What {at}?"}
        | {"options": options(at, 4), "answer": "ABCD"[at % 4]}
        for at in range(10_000)
    ]
    write(root / "questions.jsonl", rows)
    videos(root / "clips", {f"{at}.mp4" for at in range(2000)})


def answer(at: int, texts: list[str]) -> str:
    """Give an answer in one of four forms."""
    place = at % len(texts)
    letter = "ABCDEFGHIJ"[place]
    forms = [
        letter,
        "The answer is {}.",
        "({}) {}",
        "I see {1} in it, and so the correct option is {0}.",
    ]
    return forms[at % 4].format(letter, texts[place])


def write_log(path: Path, rows: Any) -> None:
    """Write what lmms-eval would leave of a run, the last question first, as its ranks leave them."""
    samples = [
        {
            "doc_id": at,
            "target": row["answer"],
            "filtered_resps": [answer(at, row["options"])],
            "input": "\n".join(["Pick one.", row["question"], *lettered(row["options"])]),
        }
        for at, row in enumerate(rows.select_columns(["question", "options", "answer"]))
    ]
    write(path, samples[::-1])


def write_sheet(path: Path, n: int) -> None:
    """Write rows of question, options, right letter and answer."""
    rows: Rows = []
    for at in range(n):
        texts = options(at, 4)
        rows.append({"id": at, "question": f"What is in clip {at}?", "options": texts})
        rows[-1] |= {"right": "ABCD"[at % 4], "prediction": answer(at, texts)}
    write(path, rows)


def score_seconds(path: Path, out: Path, benchmark: Any = None) -> float:
    """Score a file of predictions, and give the CPU seconds."""
    from t2vid.evaluation.score import score

    start = time.process_time()
    score(path, benchmark=benchmark, out=out)
    return time.process_time() - start


MAKERS: dict[str, Callable[[Path], None]] = {
    maker.__name__: maker
    for maker in (
        video_mme_v2,
        longvideobench,
        mlvu,
        lvbench,
        egoschema,
        nextqa,
        perception_test,
        questions,
    )
}


def main(names: list[str]) -> None:
    """Make, load, print."""
    import datasets

    from t2vid.evaluation.benchmarks.reader import reader_of

    datasets.disable_progress_bars()
    heads = f"{'questions':>10}{'seconds':>9}{'rows/s':>9}{'score, s':>10}"
    print(f"{'benchmark':<18}{'config':<18}{heads}")
    with tempfile.TemporaryDirectory() as base:
        for name in names or MAKERS:
            root = Path(base, name)
            MAKERS[name](root)
            made = [c for c in reader_of(name).configs if reader_of(name).files_in(root, c)]
            for config in made[:1] if name == "mlvu" else made:  # MLVU's others are its tasks
                start = time.process_time()
                rows = datasets.load_dataset(
                    f"t2vid/{name}",
                    config,
                    data_dir=str(root),
                    split="test",
                    cache_dir=str(Path(base, "cache")),
                )
                took = time.process_time() - start
                log = Path(base, f"{name}-{config}", "1_samples_log.jsonl")
                write_log(log, rows)
                scored = score_seconds(log, log.parent / "run", rows)
                figures = f"{len(rows):>10,}{took:>9.1f}{len(rows) / took:>9,.0f}{scored:>10.1f}"
                print(f"{name:<18}{config:<18}{figures}")
        if not names:
            sheet = Path(base, "sheet", "sheet.jsonl")
            write_sheet(sheet, 50_000)
            scored = score_seconds(sheet, sheet.parent / "run")
            print(f"{'rows with options':<36}{50_000:>10,}{'':>18}{scored:>10.1f}")


if __name__ == "__main__":
    main(sys.argv[1:])
