"""Runs the scorers of benchmarks' authors, lmms-eval and VLMEvalKit beside ours, on the same generated answers.

    python benchmarks/official_scorers.py CHECKOUTS

`CHECKOUTS` holds clones under their own names: Ask-Anything, TempCompass, LongVideoBench, Video-MME-v2, MLVU,
LVBench, NExT-QA, lmms-eval, VLMEvalKit and parse_answer (Video-MME's). What is not there is said and left out.
Functions are taken out of the files and run with stand-ins for what they import for other ends. Printed: answers read
alike, and figures that agree to the last digit.
"""

from __future__ import annotations

import ast
import contextlib
import io
import json
import os
import random
import re
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import benchmark_folders as folders
import datasets
import numpy as np
import pandas as pd

from t2vid.evaluation.benchmarks.reader import BenchmarkReader, reader_of
from t2vid.evaluation.benchmarks.subtitles import cues_between, long_video_cues
from t2vid.evaluation.exchange import export, read_predictions
from t2vid.evaluation.score import score

N = 4000  # questions of each benchmark
GUESS = "?"  # what stands for a draw of theirs
SAID = (
    "{L}",
    "{l}",
    "({L})",
    "{L}.",
    "{L}. {text}",
    "({L}) {text}",
    "{text}",
    "The answer is {L}.",
    "Final Answer: {L}",
    "Best option: ({L})",
    "Because the kite falls, I would say {L}.",
    "A man flies a kite, so it is ({L}), not ({M}).",
    "{M} is tempting. But the correct answer is {L}",
    "I cannot tell from these frames what happens there in the end of it.",
    "",
    "no idea",
    "{L}) {text}",
    "Answer: {text} ({L})",
)


def taken(path: Path, *names: str, **given: Any) -> SimpleNamespace:
    """Take functions and constants out of a file, without running the rest of it."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    body = [
        node
        for node in tree.body
        if getattr(node, "name", None) in names
        or (isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") in names)
    ]
    space: dict[str, Any] = {"re": re, "json": json, "ast": ast, "np": np, "pd": pd}
    space |= {"defaultdict": defaultdict, "random": SimpleNamespace(choice=lambda _: GUESS)}
    for name in ("List", "Dict", "Optional", "Union"):
        space[name] = getattr(__import__("typing"), name)
    space |= {"eval_logger": SimpleNamespace(info=lambda *_: None), **given}
    exec(compile(ast.Module(body, []), str(path), "exec"), space)  # noqa: S102
    return SimpleNamespace(**space)


def answers(rows: Any, seed: int = 0) -> list[str]:
    """Generate what models say, right in about half of the cases."""
    draw = random.Random(seed)
    said = []
    for row in rows:
        letters = "ABCDEFGHIJ"[: len(row["options"])]
        right = row["answer"] or "A"
        letter = right if draw.random() < 0.5 else draw.choice(letters)
        text = row["options"][letters.index(letter)]
        form = draw.choice(SAID)
        said.append(form.format(L=letter, l=letter.lower(), M=draw.choice(letters), text=text))
    return said


class Trial:
    """A benchmark with generated answers, read and counted by ours."""

    def __init__(self, name: str, base: Path, config: str | None = None) -> None:
        self.name, self.root, self.base = name, base / name, base
        (MAKERS | folders.MAKERS)[name](self.root)
        rows = datasets.load_dataset(
            f"t2vid/{name}", config, data_dir=str(self.root), split="test", cache_dir=base / "cache"
        )
        self.rows = rows.select(range(min(len(rows), N)))
        path = base / f"{name}.jsonl"
        pairs = zip(self.rows["id"], answers(self.rows.remove_columns("images")), strict=True)
        folders.write(path, [{"id": i.partition("/")[2], "prediction": said} for i, said in pairs])
        self.run, _ = read_predictions(path, self.rows, out=base / f"{name}.run")
        self.scores = score(self.run, scheme="official")
        self.lines = self.run.judged()
        self.reader: BenchmarkReader = reader_of(name)

    @property
    def figures(self) -> dict[str, float]:
        """Our table, mistakes of theirs included."""
        return dict(self.scores["official"].get(self.name, {}))

    @property
    def plain(self) -> dict[str, float]:
        """Our table of the same letters, counted as we count."""
        return self.reader.figures(self.lines)

    def file(self) -> Path:
        """What our `export` writes."""
        suffix = ".tsv" if self.name == "video_mme_v2" else ".json"
        return export(self.run, self.name, self.base / f"{self.name}-export{suffix}")[0]

    def read(self, tool: str, parse: Callable[[str, dict[str, Any]], str | None]) -> None:
        """Compare letters."""
        alike = guessed = 0
        for line in self.lines:
            theirs = parse(line["prediction"], line) or None
            guessed += theirs == GUESS
            alike += theirs in (line["letter"], GUESS)
        n = len(self.lines)
        more = f" ({guessed} drawn at random by it)" if guessed else ""
        print(f"{self.name:<16} {tool:<34} letters alike {alike:,} of {n:,}{more}")
        for line in self.lines:
            theirs = parse(line["prediction"], line) or None
            if theirs not in (line["letter"], GUESS):
                print("   ", repr(line["prediction"]), "theirs", theirs, "ours", line["letter"])
                break

    def count(self, tool: str, theirs: dict[str, float], ours: dict[str, float]) -> None:
        """Compare figures, as 15 digits or as many as the tool prints."""
        shared = theirs.keys() & ours.keys()
        bad = {k: (theirs[k], ours[k]) for k in shared if f"{theirs[k]:.9f}" != f"{ours[k]:.9f}"}
        print(
            f"{self.name:<16} {tool:<34} figures alike {len(shared) - len(bad)} of {len(theirs)} {bad or ''}"
        )


def video_mme(root: Path) -> None:
    """900 videos of three questions."""
    kinds = ["Counting Problem", "OCR Problems", "Action Reasoning"]
    rows = [
        {
            "video_id": f"{v:03}",
            "duration": ["short", "medium", "long"][v % 3],
            "domain": "Knowledge",
            "sub_category": "Geography",
            "videoID": f"yt{v}",
            "question_id": f"{v:03}-{k}",
            "task_type": kinds[k],
            "question": f"How many {k} in {v}?",
            "options": folders.lettered(folders.options(v + k, 4)),
            "answer": "ABCD"[(v + k) % 4],
        }
        for v in range(900)
        for k in range(3)
    ]
    folders.write(root / "videomme" / "test-0.parquet", rows)


MAKERS: dict[str, Callable[[Path], None]] = {"video_mme": video_mme}


def v2(checkouts: Path, base: Path) -> None:
    """Video-MME-v2: its script, lmms-eval, VLMEvalKit."""
    trial = Trial("video_mme_v2", base)
    path = checkouts / "Video-MME-v2/evaluation/test_video_mme_v2.py"
    names = ("extract_characters_regex_v2", "cal_relevance", "cal_logic", "get_final_rating")
    own = taken(path, *names, "evaluate")
    trial.read("its script", lambda said, _: own.extract_characters_regex_v2(said))
    exported = trial.file()
    with contextlib.redirect_stdout(io.StringIO()):
        own.evaluate(pd.read_csv(exported, sep="\t"), str(exported))
    rating = json.loads(Path(str(exported).replace(".tsv", "_rating.json")).read_text())
    theirs = dict(rating["final_rating"])
    for head in ("second_head", "third_head"):
        theirs |= {f"{head}: {k}": v for k, v in rating[f"{head}_rating"].items()}
    trial.count("its script (-1 for unread)", theirs, trial.figures)
    le = taken(
        checkouts / "lmms-eval/lmms_eval/tasks/videomme_v2/utils.py",
        "cal_relevance", "cal_logic", "extract_characters_regex", "videomme_v2_process_results",
        "_compute_all_subscores",
    )  # fmt: skip
    trial.read("lmms-eval", lambda said, _: le.extract_characters_regex(said))
    results = [
        le.videomme_v2_process_results(json.loads(x["official"]), [x["prediction"]])[
            "videomme_v2_overall_score"
        ]
        for x in trial.lines
    ]
    found = le._compute_all_subscores(results)
    names = {"overall_score": "total", "overall_acc": "accuracy of questions"}
    names |= {f"level_{k}_score": f"level_{k}" for k in (1, 2, 3)}
    same = {names.get(k, k): v for k, v in found.items()}
    trial.count(
        "lmms-eval", {k: v for k, v in same.items() if not re.search(r".+_acc$", k)}, trial.plain
    )
    vk = checkouts / "VLMEvalKit/vlmeval/dataset/videommev2.py"
    if vk.is_file():
        table = pd.read_csv(exported, sep="\t", keep_default_na=False)
        table["score"] = [int(bool(x["correct"])) for x in trial.lines]
        tool = taken(vk, "cal_relevance", "cal_logic", "get_final_rating", load=lambda _: table)
        rating = tool.get_final_rating("")["final_rating"]
        trial.count("VLMEvalKit", dict(rating), trial.plain)


def lvb(checkouts: Path, base: Path) -> None:
    """LongVideoBench in lmms-eval."""
    trial = Trial("longvideobench", base)
    le = taken(
        checkouts / "lmms-eval/lmms_eval/tasks/longvideobench/utils.py",
        "parse_multi_choice_response", "evaluate_longvideobench", "eval_multi_choice",
        "calculate_ins_level_acc", "longvideobench_aggregate_results",
    )  # fmt: skip
    trial.read("lmms-eval", lambda said, line: le.parse_multi_choice_response(said, [], {}))
    results = []
    for line in trial.lines:
        record = json.loads(line["official"])
        said = {"id": line["id"], "answer": line["answer"], "parsed_pred": line["letter"]}
        keys = ("duration_group", "question_category")
        results.append({**said, **{key: record[key] for key in keys}})
    overall = le.longvideobench_aggregate_results(results)
    ours = {"Overall": round(trial.figures["Overall"] / 100, 5)}
    trial.count("lmms-eval (5 digits)", {"Overall": overall}, ours)
    loader = checkouts / "LongVideoBench/longvideobench/longvideobench_dataset.py"
    names = ("insert_subtitles_into_frames", "timestamp_to_seconds")
    own, draw, alike = taken(loader, *names), random.Random(0), 0
    for _ in range(1000):
        times = sorted(draw.uniform(0, 60) for _ in range(draw.randint(1, 20)))
        cues = []
        for at in range(draw.randint(0, 20)):
            start = draw.uniform(100, 160)
            cues.append({"timestamp": [start, start + draw.uniform(0.1, 6)], "text": f"cue {at}"})
        told = own.insert_subtitles_into_frames(list(range(len(times))), times, cues, 100, 60)
        ours_between = cues_between(long_video_cues(cues, offset_s=100, duration_s=60), times)
        shown: list[Any] = []
        for before, text in ours_between:
            shown += [*range(sum(isinstance(x, int) for x in shown), before), text]
        shown += range(sum(isinstance(x, int) for x in shown), len(times))
        alike += shown == told
    print(
        f"{'longvideobench':<16} {'its loader':<34} subtitles among frames alike {alike:,} of 1,000"
    )


def mlvu(checkouts: Path, base: Path) -> None:
    """MLVU's script on our export, and lmms-eval's mean."""
    trial = Trial("mlvu", base)
    path = checkouts / "MLVU/evaluation/multiple_choice_evaluation/choice_bench.py"
    own = taken(path, "check_ans")
    told: dict[str, list[bool]] = {}
    results = json.loads(trial.file().read_text())["res_list"]
    for one in results:
        told.setdefault(one["question_type"], []).append(own.check_ans(one["pred"], one["gt"]))
    tasks = {task: sum(right) / len(right) * 100 for task, right in told.items()}
    mean = {"M-Avg as its script counts": sum(tasks.values()) / len(tasks)}
    trial.count("its script", {**tasks, **mean}, trial.figures)
    le = taken(checkouts / "lmms-eval/lmms_eval/tasks/mlvu/utils.py", "mlvu_aggregate_results_dev")
    lines = [line for line in trial.lines if line["answer"]]
    given = [
        {"task_type": x["category"], "pred_answer": x["letter"], "answer": x["answer"]}
        for x in lines
    ]
    if len(tasks) == 7:
        average = {"M-Avg (mean of tasks)": le.mlvu_aggregate_results_dev(given)}
        trial.count("lmms-eval's mean", average, trial.plain)


def lvbench(checkouts: Path, base: Path) -> None:
    """LVBench's script on our export."""
    trial = Trial("lvbench", base)
    root = checkouts / "LVBench/lvbench"
    polish = taken(root / "utils/answer_util.py", "polish_answer").polish_answer
    trial.read("its polish_answer", lambda said, _: polish(said))

    @contextlib.contextmanager
    def opened(name: str) -> Iterator[list[Any]]:
        yield [json.loads(line) for line in Path(name).read_text().splitlines()]

    count = taken(
        root / "metrics/compute_accuracy.py",
        "compute_accuracy",
        jsonlines=SimpleNamespace(open=opened),
    ).compute_accuracy
    # the script knows what the file of answers holds; ours leaves out what was not read
    found = count(str(trial.file()), str(trial.root / "video_info.meta.jsonl"))
    read = [line for line in trial.lines if line["letter"]]
    short = {v: k for k, v in SHORT.items()} | {"Overall": "acc"}
    ours = {short[k]: v / 100 for k, v in trial.reader.figures(read).items()}
    trial.count("its script (answers present)", dict(found), ours)


SHORT = {
    "key information retrieval": "KIR",
    "event understanding": "EU",
    "summarization": "Sum",
    "entity recognition": "ER",
    "reasoning": "Rea",
    "temporal grounding": "TG",
}


def egoschema(checkouts: Path, base: Path) -> None:
    """EgoSchema in lmms-eval."""
    trial = Trial("egoschema", base)
    le = taken(
        checkouts / "lmms-eval/lmms_eval/tasks/egoschema/utils.py", "parse_multi_choice_response"
    )

    def parse(said: str, line: dict[str, Any]) -> str:
        by = dict(zip("ABCDE", line["options"], strict=True))
        return str(le.parse_multi_choice_response(said, list(by), by)[0])

    trial.read("lmms-eval", parse)


def nextqa(checkouts: Path, base: Path) -> None:
    """NExT-QA's script on our export, and on its own example."""
    trial = Trial("nextqa", base)
    le = taken(
        checkouts / "lmms-eval/lmms_eval/tasks/nextqa/utils.py", "parse_multi_choice_response"
    )

    def parse(said: str, line: dict[str, Any]) -> str:
        by = dict(zip("ABCDE", line["options"], strict=True))
        return str(le.parse_multi_choice_response(said, list(by), by))

    trial.read("lmms-eval", parse)
    load = taken(
        checkouts / "NExT-QA/utils.py", "load_file", osp=__import__("os.path").path
    ).load_file
    own = taken(checkouts / "NExT-QA/eval_mc.py", "map_name", "accuracy_metric", load_file=load)
    table = pd.read_csv(trial.root / "test.csv").head(len(trial.rows))
    table.to_csv(base / "nextqa.csv", index=False)
    pairs = [(base / "nextqa.csv", trial.file(), trial.figures)]
    example = checkouts / "NExT-QA/results/HGA-bert-ft-h256-val.json"
    csv = checkouts / "NExT-QA/dataset/nextqa/val.csv"
    if example.is_file():
        rows = datasets.load_dataset(
            "t2vid/nextqa", "validation", data_files=str(csv), split="test",
            cache_dir=base / "cache",
        )  # fmt: skip
        run, _ = read_predictions(example, rows, out=base / "hga")
        pairs.append((csv, example, score(run)["official"]["nextqa"]))
    for questions, results, ours in pairs:
        told = io.StringIO()
        with contextlib.redirect_stdout(told):
            own.accuracy_metric(str(questions), str(results))
        names, values, last = told.getvalue().strip().split("\n")
        theirs = dict(zip(names.split(), map(float, values.split()), strict=True))
        theirs["Acc"] = float(last.split()[1])
        shown = {name: float(f"{value:.2f}") for name, value in ours.items()}
        trial.count(f"its script on {results.name[:20]} (2 digits)", theirs, shown)


def perception(checkouts: Path, base: Path) -> None:
    """Perception Test in lmms-eval."""
    trial = Trial("perception_test", base)
    le = taken(
        checkouts / "lmms-eval/lmms_eval/tasks/perceptiontest/val/utils.py",
        "perceptiontest_val_process_results_mc",
        "perceptiontest_val_aggregate_accuracy",
    )
    results = [
        le.perceptiontest_val_process_results_mc(json.loads(x["official"]), [x["prediction"]])[
            "accuracy"
        ]
        for x in trial.lines
    ]
    told = {x["id"]: one["pred_id"] for x, one in zip(trial.lines, results, strict=True)}
    trial.read(
        "lmms-eval", lambda _, line: "ABCD"[told[line["id"]]] if told[line["id"]] >= 0 else None
    )
    accuracy = 100 * le.perceptiontest_val_aggregate_accuracy(results, None)
    trial.count("lmms-eval", {"top-1": accuracy}, trial.figures)


def mme(checkouts: Path, base: Path) -> None:
    """Video-MME's script on our export."""
    trial = Trial("video_mme", base)
    path = checkouts / "parse_answer/eval_your_results.py"
    names = ("CATEGORIES", "SUB_CATEGORIES", "TASK_CATEGORIES", "extract_characters_regex")
    own = taken(path, *names, "eval_your_results")
    trial.read("its script", lambda said, _: own.extract_characters_regex(said))
    told = io.StringIO()
    with contextlib.redirect_stdout(told):
        own.eval_your_results(str(trial.file()), "short,medium,long", False, False)
    found = [float(x) for x in re.findall(r"Overall:\s*([\d.]+)%", told.getvalue())]
    theirs = dict(zip(("short", "medium", "long", "Overall"), found, strict=True))
    shown = {name: float(f"{value:.1f}") for name, value in trial.figures.items()}
    trial.count("its script (1 digit)", theirs, shown)


def mvbench_folder(root: Path) -> None:
    """Twenty tasks of 200 questions."""
    for task in reader_of("mvbench").configs:
        rows = [
            {"video": f"{at}.mp4", "question": f"What {task} {at}?"}
            | {"candidates": folders.options(at, 2 + at % 4)}
            for at in range(200 if task != "all" else 0)
        ]
        for at, row in enumerate(rows):
            row["answer"] = row["candidates"][at % len(row["candidates"])]
        if rows:
            folders.write(root / "json" / f"{task}.json", rows)


MAKERS["mvbench"] = mvbench_folder


def mvbench(checkouts: Path, base: Path) -> None:
    """MVBench's notebook, whose answers begin with the bracket of its prefill, and lmms-eval's mean."""
    trial = Trial("mvbench", base)
    notebook = json.loads((checkouts / "Ask-Anything/video_chat2/mvbench.ipynb").read_text())
    cells = ["".join(cell["source"]) for cell in notebook["cells"]]
    path = base / "check_ans.py"
    path.write_text(next(cell for cell in cells if cell.startswith("def check_ans")))
    check = taken(path, "check_ans").check_ans
    right, wrong = 0, []
    for line in trial.lines:
        text = line["options"]["ABCDEFGHIJ".index(line["answer"])]
        flag = check(line["prediction"].strip().split("\n")[0], f"({line['answer']}) {text}")
        right += flag
        wrong += [line["prediction"]] if flag != line["correct"] else []
    print(f"{'mvbench':<16} {'its notebook':<34} verdicts alike {len(trial.lines) - len(wrong):,} of "
          f"{len(trial.lines):,} {wrong[:2] or ''}")  # fmt: skip
    trial.count("its notebook", {"Avg": 100 * right / len(trial.lines)}, trial.figures)


def tempcompass(checkouts: Path, base: Path) -> None:
    """TempCompass's scripts on the answers of four models that its repository holds, ChatGPT left out."""
    root = checkouts / "TempCompass"
    scripts = {"multi-choice": "eval_multi-choice.py", "yes_no": "eval_yes_no.py"}
    scripts["caption_matching"] = "eval_caption_matching.py"
    for task, script in scripts.items():
        rows = datasets.load_dataset(
            "t2vid/tempcompass", task, data_dir=str(root), split="test", cache_dir=base / "cache"
        )
        own = taken(root / script, "main", "extract_pred", "eval_rule", os=os, tqdm=list,
                    print_result=lambda _: None, base_prompt="")  # fmt: skip
        for path in sorted((root / "predictions").glob(f"*/{task}.json")):
            rated = base / "rated.json"
            own.main(json.loads(path.read_text()), {}, str(rated), True)
            told: dict[str, list[float]] = {"avg": []}
            for dims in json.loads(rated.read_text()).values():
                for dim, results in dims.items():
                    told.setdefault(dim, []).extend(one["rating"] for one in results)
                    told["avg"].extend(one["rating"] for one in results)
            theirs = {name: 100 * sum(hits) / len(hits) for name, hits in told.items()}
            run, _ = read_predictions(path, rows, out=base / f"{task}-{path.parent.name}")
            ours = score(run, scheme="official")["official"]["tempcompass"]
            Trial.count(
                SimpleNamespace(name="tempcompass"), f"{task}, {path.parent.name}", theirs, ours
            )


def main(checkouts: Path) -> None:
    """Run what is there."""
    datasets.disable_progress_bars()
    with tempfile.TemporaryDirectory() as base:
        for trial in TRIALS:
            try:
                trial(checkouts, Path(base))
            except FileNotFoundError as error:
                print(f"{trial.__name__:<16} not at hand: {error.filename}")


TRIALS = (v2, lvb, mlvu, lvbench, egoschema, nextqa, perception, mme, mvbench, tempcompass)

if __name__ == "__main__":
    main(Path(sys.argv[1]))
