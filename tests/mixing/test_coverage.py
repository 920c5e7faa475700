"""Texts that cover: the rare ones enter, the same ones everywhere, in the corpus and in a recipe."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from t2vid.errors import InputError
from t2vid.mixing.build import build
from t2vid.mixing.coverage import cover, hashed
from t2vid.mixing.recipe import Filters, Recipe, Source

RARE = ["How many boats pass?", "Name the red bridge.", "When does the rain stop?"]
TEXTS = ["Describe this clip.", "Describe the clip in detail."] * 40 + RARE


def test_rare_texts_enter_before_a_template_comes_twice():
    chosen = cover(TEXTS, 5)
    assert {TEXTS[at] for at in chosen} == set(TEXTS)


def test_a_smaller_choice_begins_a_larger_one():
    assert cover(TEXTS, 60)[:7].tolist() == cover(TEXTS, 7).tolist()


@settings(deadline=None)
@given(st.lists(st.text(), min_size=1, max_size=30), st.data())
def test_any_texts_are_chosen_once_each(texts, data):
    k = data.draw(st.integers(1, len(texts)))
    start = data.draw(st.integers(0, len(texts) - 1))
    chosen = cover(texts, k, start=start)
    assert len(set(chosen.tolist())) == k and chosen[0] == start


def test_nothing_left_out_is_farther_than_twice_the_best_radius():
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(12, 3))
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    texts = [str(n) for n in range(12)]
    apart = np.arccos(np.clip(vectors @ vectors.T, -1, 1))

    def radius(centres) -> float:
        return float(apart[:, list(centres)].min(axis=1).max())

    from itertools import combinations

    best = min(radius(centres) for centres in combinations(range(12), 3))
    assert radius(cover(texts, 3, vectors=vectors)) <= 2 * best + 0.01


def test_the_vectors_are_of_one_length_and_the_sums_exact():
    vectors = hashed(TEXTS)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)
    steps = np.rint(vectors * 2048)
    # whatever the order of summing, and in float32 as in integers
    exact = steps.astype(np.int64) @ steps.astype(np.int64).T
    assert np.array_equal(steps @ steps.T, exact) and abs(exact).max() < 2**24


@pytest.mark.parametrize("k", [0, 4])
def test_none_or_too_many_are_refused(k):
    with pytest.raises(InputError, match="must be from 1 to the number of rows, 3"):
        cover(RARE, k)


def recipe_of(pick: str, count: int) -> Recipe:
    source = Source(
        "t2vid/synthetic", config="triplets", files=("rows.jsonl",), count=count,
        filters=Filters(pick=pick),
    )  # fmt: skip
    return Recipe("mine", (source,))


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("corpus")
    rows = [
        {"context": f"Words of text {n}. " * 30, "question": question, "answer": f"So {n}."}
        for n, question in enumerate(TEXTS)
    ]
    (folder / "rows.jsonl").write_text("\n".join(map(json.dumps, rows)))
    return folder


def asked(built) -> set[str]:
    rows = built.dataset().select_columns(["messages"])
    return {row["messages"][0]["content"][-1]["text"] for row in rows}


def test_a_recipe_picks_diverse_rows_whoever_measures_them(data, tmp_path):
    diverse = build(recipe_of("diverse", 5), data=data, out=tmp_path / "a")
    assert asked(diverse) == set(TEXTS)
    again = build(recipe_of("diverse", 5), data=data, out=tmp_path / "b", num_proc=2)
    assert again.hash == diverse.hash
    assert diverse.counts.kept == 5
    assert diverse.counts.sources["triplets"]["not picked"] == len(TEXTS) - 5
    random = build(recipe_of("random", 5), data=data, out=tmp_path / "c")
    assert len(asked(random)) < len(asked(diverse))


def test_the_rule_is_part_of_the_recipe_and_its_hash():
    random, diverse = recipe_of("random", 5), recipe_of("diverse", 5)
    assert random.hash != diverse.hash
    assert Recipe.from_yaml(diverse.to_yaml()) == diverse
    assert "pick: diverse" in diverse.to_yaml()
    with pytest.raises(InputError, match=r"pick \('best'\) must be one of"):
        dataclasses.replace(random.sources[0].filters, pick="best")


def test_all_rows_need_no_picking(data, tmp_path):
    everything = dataclasses.replace(recipe_of("diverse", 5).sources[0], count=None)
    built = build(Recipe("all", (everything,)), data=data, out=tmp_path / "mix")
    assert built.n_rows == len(TEXTS) and "not picked" not in built.counts.sources["triplets"]
