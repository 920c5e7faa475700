"""Read real answers of real models with t2vid's rules, and with those of lmms-eval and VLMEvalKit in the same process.

    python benchmarks/real_answers.py --lmms-eval ~/lmms-eval --vlmevalkit ~/VLMEvalKit

The answers are those of ../shared/data/judging/real_answers.jsonl (`--corpus`): 4,300 of 29 models, published by
MMLU-Pro, TempCompass, MathVista, ScienceQA and MMMU-Pro. Their labels are noisy. real_answers_labels.tsv lists the ones
that contradict what the answer says, each with its reason; the second table leaves these rows out. The repositories are
checkouts or bare git folders; nothing of them is copied here.
"""

from __future__ import annotations

import argparse
import csv
import json
import logging
import re
import subprocess
import sys
import time
import types
from collections import Counter, defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

from t2vid.scoring.extract import extract_choice
from t2vid.scoring.lexicon import load

Extract = Callable[[str, "list[str] | None", str], "str | None"]
HERE = Path(__file__).parent
CORPUS = HERE.parents[1] / "shared" / "data" / "judging" / "real_answers.jsonl"
LABELS = HERE / "real_answers_labels.tsv"
LETTERS = "ABCDEFGHIJ"


def source_of(repository: Path, path: str) -> str:
    """Return a file of a checkout or of a git folder without one."""
    if (repository / path).is_file():
        return (repository / path).read_text("utf-8")
    show = ["git", "-C", str(repository), "show", f"HEAD:{path}"]
    return subprocess.run(show, check=True, capture_output=True, text=True).stdout


def module_of(repository: Path, path: str) -> dict[str, Any]:
    """Run one file of a repository; what it imports of its own package is its logger."""
    log = types.ModuleType("vlmeval.smp.log")
    log.get_logger = logging.getLogger  # type: ignore[attr-defined]
    for name in ("vlmeval", "vlmeval.smp"):
        sys.modules.setdefault(name, types.ModuleType(name))
    sys.modules.setdefault("vlmeval.smp.log", log)
    names: dict[str, Any] = {"__name__": Path(path).stem}
    exec(compile(source_of(repository, path), path, "exec"), names)  # noqa: S102
    return names


def ours(prediction: str, options: list[str] | None, question: str) -> str | None:
    return extract_choice(prediction, options, question).letter


def lmms_eval(repository: Path) -> Extract:
    extract = module_of(repository, "lmms_eval/tasks/_task_utils/mcq_extract.py")[
        "extract_mcq_answer"
    ]

    def read(prediction: str, options: list[str] | None, question: str) -> str | None:
        letters = list(LETTERS[: len(options)] if options else "ABCDE")
        said = extract(prediction, letters)
        return said if said in letters else None

    return read


def vlmevalkit(repository: Path) -> Extract:
    infer = module_of(repository, "vlmeval/utils/matching_util.py")["can_infer"]

    def read(prediction: str, options: list[str] | None, question: str) -> str | None:
        choices = dict(zip(LETTERS, options or list("ABCDE"), strict=False))
        said = infer(prediction, choices)
        return said if said and said != "Z" else None

    return read


def kind_of(label: str | None, got: str | None) -> str:
    negative = label is not None and label.startswith("not ")
    if got is None:
        return "open, rightly" if label is None or negative else "open"
    if negative:
        return "wrong" if label is not None and got == label[4:] else "right"
    return "right" if got == label else "letter for none" if label is None else "wrong"


def table(
    rows: list[dict[str, Any]], got: dict[str, list[str | None]], rates: dict[str, float]
) -> None:
    labelled = [i for i, r in enumerate(rows) if not r["label_from"].startswith("none")]
    print(f"\n{len(rows):,} answers, {len(labelled):,} of them labelled; % of the labelled ones\n")
    print(
        "| rules | wrong letter | letter where none is right | open | answers/CPU-s |\n|---|---|---|---|---|"
    )
    for name, letters in got.items():
        kinds = Counter(kind_of(rows[i]["label"], letters[i]) for i in labelled)
        shares = [100 * kinds[k] / len(labelled) for k in ("wrong", "letter for none", "open")]
        print(f"| {name} | " + " | ".join(f"{s:.2f}" for s in shares) + f" | {rates[name]:,.0f} |")


def family(model: str) -> str:
    """Return what a model is called up to its first number or blank: "Meta-Llama" of "Meta-Llama-3-8B"."""
    return re.split(r"[-_ ]*[\d.]|[_ ]", model)[0].casefold() or model


def by_set(rows: list[dict[str, Any]], letters: list[str | None], key: str) -> None:
    """Print the figures of each benchmark or family of models, the worst first: rules are not fitted to a part."""
    kinds: dict[str, Counter[str]] = defaultdict(Counter)
    for row, letter in zip(rows, letters, strict=True):
        if not row["label_from"].startswith("none"):
            name = row["set"] if key == "set" else family(row["model"])
            kinds[name][kind_of(row["label"], letter)] += 1
    print(f"\n| {key} | labelled | wrong % | letter for none % | open % |\n|---|---|---|---|---|")

    def worst(item: tuple[str, Counter[str]]) -> tuple[float, float]:
        _, found = item
        wrong = found["wrong"] + found["letter for none"]
        return -wrong / found.total(), -found["open"] / found.total()

    for name, found in sorted(kinds.items(), key=worst):
        n = found.total()
        print(
            f"| {name} | {n} | "
            + " | ".join(f"{100 * found[k] / n:.2f}" for k in ("wrong", "letter for none", "open"))
            + " |"
        )


def invented() -> dict[str, list[tuple[str, list[str], str, tuple[str | None, ...]]]]:
    """Return the invented sets: answer, options, question, letters that are right (None: none)."""
    sys.path.insert(0, str(HERE))
    import heldout
    import heldout_second
    import judge

    def texts(options: Any) -> list[str]:
        return list(options.values()) if isinstance(options, dict) else list(options)

    made = judge.make_rows(), judge.make_rows(*judge.class_forms())
    first = [(r.prediction, texts(r.options), r.question, (r.label,)) for r in heldout.make_rows()]
    second = [
        (reply, texts(asked.options), asked.question, (label,))
        for _, _, _, asked, reply, label in heldout_second.rows()
    ]
    return {
        "heldout_second.py": second,
        "heldout.py": first,
        "judge.py": [(r.prediction, texts(r.options), r.question, r.accept) for r in made[0]],
        "judge_classes.tsv": [
            (r.prediction, texts(r.options), r.question, r.accept) for r in made[1]
        ],
    }


def invented_table(rules: dict[str, Extract]) -> None:
    print(
        "\n| set | answers | rules | accuracy | false-certain | needless deferral |\n"
        + "|---" * 6
        + "|"
    )
    for name, rows in invented().items():
        clear = sum(None not in row[3] for row in rows)
        for rule, read in rules.items():
            kinds: Counter[str] = Counter()
            for prediction, options, question, accept in rows:
                got = read(prediction, options, question)
                kinds["right" if got in accept else "deferred" if got is None else "wrong"] += 1
            shares = (
                kinds["right"] / len(rows),
                kinds["wrong"] / len(rows),
                kinds["deferred"] / clear,
            )
            cells = " | ".join(f"{100 * share:.2f}" for share in shares)
            print(f"| {name} | {len(rows):,} | {rule} | {cells} |")


LOOPED = (
    *(
        "A ",
        "A. a dog, ",
        "A: ✗ ",
        "(",
        "\\boxed{",
        "<think>",
        "<answer>A",
        '{"answer": ',
        "[ANSWER]",
        "A or ",
        "\n",
    ),
    *(
        "The answer is A. ",
        "no, wait. ",
        "the first option ",
        "Question: what\n",
        "question:",
        "if A ",
        "~~",
        "_",
        "。",
    ),
    *("A = 3, ", "\\frac{", "選", "that A is on ", "one of "),
)


def loops_table() -> None:
    """Time answers that repeat one thing, or one and then another: a model that loops must hold up nobody."""
    found = []
    for first in LOOPED:
        for then in LOOPED:
            times = []
            for chars in (10_000, 20_000):
                said = first * (chars // 2 // len(first)) + then * (chars // 2 // len(then))
                start = time.process_time()
                extract_choice(said, ["a dog", "a cat", "14 cm"], "If A, what is it?")
                times.append(time.process_time() - start)
            found.append((times[1], times[1] / times[0], first, then))
    found.sort(reverse=True)
    slow = [ratio for seconds, ratio, _, _ in found if seconds > 0.02]
    print(f"{len(found)} loops of 20,000 characters, against the same of 10,000; the slowest:\n")
    print("| ms | times | first half | second half |\n|---|---|---|---|")
    for seconds, ratio, first, then in found[:5]:
        print(f"| {1000 * seconds:.0f} | {ratio:.1f} | {first!r} | {then!r} |")
    print(
        f"\nof the {len(slow)} that take over 20 ms, the median takes {sorted(slow)[len(slow) // 2]:.1f} times as long"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--corpus", type=Path, default=CORPUS)
    parser.add_argument("--lmms-eval", type=Path)
    parser.add_argument("--vlmevalkit", type=Path)
    parser.add_argument(
        "--loops", action="store_true", help="time answers of 20,000 characters that loop"
    )
    parser.add_argument("--invented", action="store_true", help="the invented sets, too")
    parser.add_argument(
        "--show", type=int, default=0, help="print so many of t2vid's disagreements"
    )
    args = parser.parse_args()
    if args.loops:
        return loops_table()
    if not args.corpus.is_file():
        raise SystemExit(f"{args.corpus} is not there; give --corpus")
    rows = [json.loads(line) for line in args.corpus.open(encoding="utf-8")]
    rules: dict[str, Extract] = {"t2vid": ours}
    if args.lmms_eval:
        rules["lmms-eval"] = lmms_eval(args.lmms_eval)
    if args.vlmevalkit:
        rules["VLMEvalKit"] = vlmevalkit(args.vlmevalkit)
    load()
    got, rates = {}, {}
    for name, read in rules.items():
        start = time.process_time()
        got[name] = [read(r["prediction"] or "", r["options"], r["question"]) for r in rows]
        rates[name] = len(rows) / (time.process_time() - start)
    table(rows, got, rates)
    with open(LABELS, encoding="utf-8", newline="") as file:
        noted = {(r["set"], r["model"], r["id"]) for r in csv.DictReader(file, delimiter="\t")}
    kept = [i for i, r in enumerate(rows) if (r["set"], r["model"], r["id"]) not in noted]
    print(
        f"\nwithout the {len(rows) - len(kept)} rows of {LABELS.name}, whose labels contradict the answers:"
    )
    table(
        [rows[i] for i in kept],
        {name: [found[i] for i in kept] for name, found in got.items()},
        rates,
    )
    for key in ("set", "family of models"):
        by_set(rows, got["t2vid"], key)
    if args.invented:
        invented_table(rules)
    for row, letter in zip(rows, got["t2vid"], strict=True):
        if args.show and kind_of(row["label"], letter) in ("wrong", "letter for none"):
            args.show -= 1
            print(
                row["set"],
                row["model"],
                row["id"],
                row["label"],
                letter,
                repr(row["prediction"][-300:]),
            )


if __name__ == "__main__":
    main()
