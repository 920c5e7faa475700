"""The labelled phrasings of benchmarks/judge_classes.tsv: hardly one is read as what it does not say."""

from __future__ import annotations

import json
from pathlib import Path

from t2vid import extract_choice

FILE = Path(__file__).parents[2] / "benchmarks" / "judge_classes.tsv"
QUESTION = "What does the cook do after the bell rings?"
OPTIONS = ["stirs the soup", "sharpens a knife", "opens the oven", "wipes the table"]


def test_labelled_phrasings_are_read_or_left_open():
    wrong, deferred, n = [], [], {"given": 0, "withheld": 0}
    for i, line in enumerate(FILE.read_text("utf-8").splitlines()):
        kind, form = line.split("\t")
        right, other = "ABCD"[i % 4], "ABCD"[(i + 1) % 4]
        said = json.loads(form).format(
            L=right,
            l=right.lower(),
            T=OPTIONS[i % 4],
            t=OPTIONS[i % 4],
            W=other,
            V=OPTIONS[(i + 1) % 4],
            Q=QUESTION,
            ALL="\n".join(f"{a}. {text}" for a, text in zip("ABCD", OPTIONS, strict=True)),
        )
        letter = extract_choice(said, OPTIONS, QUESTION).letter
        n[kind] += 1
        if letter is not None and letter != (right if kind == "given" else None):
            wrong.append((said, letter))
        if letter is None and kind == "given":
            deferred.append(said)
    assert n["given"] > 600 and n["withheld"] > 800
    assert len(wrong) <= 0.008 * sum(n.values()), wrong
    assert len(deferred) <= 0.09 * n["given"], deferred
