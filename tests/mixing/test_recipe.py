from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from t2vid.errors import InputError, MissingFile
from t2vid.frames.spec import RenderSpec
from t2vid.mixing.recipe import Recipe, Source, shipped


@pytest.mark.parametrize("name", shipped())
def test_a_shipped_recipe_survives_yaml_both_ways(name):
    recipe = Recipe.from_yaml(name)
    assert recipe.name == name
    assert Recipe.from_yaml(recipe.to_yaml()) == recipe
    assert Recipe.from_dict(recipe.to_dict()).hash == recipe.hash


@pytest.mark.parametrize(
    ("name", "counts"),
    [
        ("hybrid-30k", [10_000, 10_000, 5_000, 5_000]),
        ("pure-text-30k", [10_000, 10_000, 5_000, 5_000]),
        ("sharegemini-30k", [30_000]),
        ("video-chatgpt-30k", [30_000]),
        ("video-30k", [15_000, 15_000]),
        ("full-200k", [None, None]),
    ],
)
def test_the_papers_mixes_have_the_papers_counts(name, counts):
    assert Recipe.from_yaml(name).wanted() == counts


@pytest.mark.parametrize("thousands", [30, 60, 100])
def test_the_sweep_is_two_videos_to_one_text(thousands):
    recipe = Recipe.from_yaml(f"sweep-2to1-{thousands}k")
    wanted = recipe.wanted()
    assert sum(wanted) == thousands * 1000
    video = sum(n for n, source in zip(wanted, recipe.sources, strict=True) if source.is_video)
    assert abs(video - 2 * (sum(wanted) - video)) <= 4


@given(st.integers(1, 10_000), st.lists(st.integers(1, 50), min_size=1, max_size=6))
def test_shares_add_up_to_the_rows(rows, weights):
    names = [f"s{i}" for i in range(len(weights))]
    sources = tuple(
        Source("t2vid/sharegemini", name=name, share=w / sum(weights))
        for name, w in zip(names, weights, strict=True)
    )
    assert sum(Recipe("r", sources, rows=rows).wanted()) == rows


def test_the_hash_changes_with_every_field():
    base = Recipe.from_yaml("hybrid-30k")
    source = base.sources[2]
    others = [
        dataclasses.replace(base, seed=1),
        dataclasses.replace(base, over_budget="split"),
        dataclasses.replace(base, remix=False),
        base.for_family("idefics3"),
        dataclasses.replace(base, sources=(dataclasses.replace(source, count=1),)),
        dataclasses.replace(base, sources=(dataclasses.replace(source, render=RenderSpec()),)),
        dataclasses.replace(base, sources=(dataclasses.replace(source, form="text"),)),
    ]
    assert len({base.hash, *(other.hash for other in others)}) == len(others) + 1


def test_another_family_changes_the_budget_and_the_frames_of_videos_only():
    recipe = Recipe.from_yaml("hybrid-30k").for_family("internvl")
    assert recipe.budget.tokens_per_frame == 256
    assert [s.sample.max_frames for s in recipe.sources if s.is_video] == [64, 64]
    assert recipe.sources[2] == Recipe.from_yaml("hybrid-30k").sources[2]


def test_ten_lines_state_a_mix(tmp_path):
    text = """\
name: mine
rows: 300
budget: {preset: idefics3, max_tokens: 4096}
over_budget: fewer_frames
sources:
  - {dataset: t2vid/video_chatgpt, share: 2/3}
  - dataset: t2vid/synthetic
    config: triplets
    files: [my-*.jsonl]
    share: 1/3
"""
    (tmp_path / "mine.yaml").write_text(text)
    recipe = Recipe.from_yaml(tmp_path / "mine.yaml")
    assert recipe.wanted() == [200, 100]
    assert (recipe.budget.max_tokens, recipe.budget.max_frames) == (4096, 65)
    assert Recipe.from_yaml(text) == recipe


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ("name: a\nsources: []\n", "no sources"),
        ("name: a\nsources: [{dataset: x}]\n", "dataset \\('x'\\)"),
        ("name: a\nsources: [{dataset: t2vid/synthetic}]\n", "config"),
        ("name: a\ncolour: red\nsources: []\n", "no field \\['colour'\\]"),
        ("name: a\nsources: [{dataset: t2vid/sharegemini, form: text}]\n", "only a text"),
        ("name: a\nsources: [{dataset: t2vid/sharegemini, share: 0.5}]\n", "needs rows"),
        ("name: a\nsources: [{dataset: t2vid/sharegemini, count: 0}]\n", "count \\(0\\)"),
        ("name: a\nover_budget: shrink\nsources: [{dataset: t2vid/sharegemini}]\n", "over_budget"),
        ("just text\nmore\n", "no recipe"),
        ("a: [\n", "no YAML"),
        (
            "name: a\nsources: [{dataset: t2vid/sharegemini}, {dataset: t2vid/sharegemini}]\n",
            "must differ",
        ),
        (
            "name: a\nsources: [{dataset: t2vid/synthetic, config: sample, render: nice}]\n",
            "preset ..nice..",
        ),
        ("sources: [{dataset: t2vid/sharegemini}]\n", "needs name"),
        ("name: a\nsources: [{config: sample}]\n", "needs dataset"),
        ("name: a\nsources: {dataset: t2vid/sharegemini}\n", "must be a list"),
        ("name: a\nseed: x\nsources: [{dataset: t2vid/sharegemini}]\n", "seed \\('x'\\)"),
        ("name: a\nsources: [{dataset: t2vid/sharegemini, count: many}]\n", "count \\('many'\\)"),
        ("name: a\nrows: 9\nsources: [{dataset: t2vid/sharegemini, share: half}]\n", "fraction"),
        (
            "name: a\nsources: [{dataset: t2vid/sharegemini, filters: {max_frames: few}}]\n",
            "max_frames \\('few'\\)",
        ),
        ("name: a\nsources: [{dataset: t2vid/sharegemini, files: /etc/x}]\n", "leaves the data"),
        ("name: a\nsources: [{dataset: t2vid/sharegemini, files: ../x}]\n", "leaves the data"),
    ],
)
def test_a_wrong_recipe_says_what_is_wrong(wrong, message):
    with pytest.raises(InputError, match=message):
        Recipe.from_yaml(wrong)


def test_a_missing_recipe_names_the_shipped_ones():
    with pytest.raises(MissingFile, match="hybrid-30k"):
        Recipe.from_yaml("hybrid-31k")


@pytest.mark.parametrize(
    ("sizes", "wanted"),
    [
        ([{"weight": 2}, {"weight": 1}], [20, 10]),
        ([{"count": 6}, {"weight": 1}, {"weight": "1/2"}], [6, 16, 8]),
        ([{"share": "1/3"}, {"weight": 1}, {"weight": 1}], [10, 10, 10]),
        ([{"share": "1/3"}, {"count": 20}], [10, 20]),
        ([{"share": 1 / 3}, {}], [10, None]),
        ([{"weight": 1}] * 7, [5, 5, 4, 4, 4, 4, 4]),
    ],
)
def test_weights_and_shares_make_the_rows_that_are_asked_for(sizes, wanted):
    sources = [{"dataset": "t2vid/sharegemini", "name": f"s{n}", **s} for n, s in enumerate(sizes)]
    recipe = Recipe.from_dict({"name": "a", "rows": 30, "sources": sources})
    assert recipe.wanted() == wanted
    assert Recipe.from_yaml(recipe.to_yaml()) == recipe


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        ([{"share": 0.2}, {"share": 0.2}], r"take 12 rows.*'s0': 6.*rows is 30"),
        ([{"share": 0.5}, {"count": 3}], "take 18 rows"),
        ([{"count": 40}, {"weight": 1}], "take 40 rows"),
        ([{"share": 0.5, "weight": 1}, {"share": 0.5}], "s0: give one of"),
        ([{"weight": 0}, {"weight": 1}], r"weight \(0\) must be"),
        ([{"share": 0.8}, {"share": 0.8}], "add up to 1.600"),
    ],
)
def test_shares_that_do_not_add_up_are_said(sizes, message):
    sources = [{"dataset": "t2vid/sharegemini", "name": f"s{n}", **s} for n, s in enumerate(sizes)]
    with pytest.raises(InputError, match=message):
        Recipe.from_dict({"name": "a", "rows": 30, "sources": sources})


ONE = "sources: [{dataset: t2vid/rows, files: a.jsonl"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (f"name: m\nname: n\n{ONE}}}]", "the key 'name' twice, in lines 1 and 2"),
        (f"name: m\n{ONE}, count: 3, count: 5}}]", "the key 'count' twice, in lines 2 and 2"),
        (f"name: m\nbudget: [1]\n{ONE}}}]", r"budget \(\[1\]\) must be a preset's name"),
        (f"name: m\nbudget: {{max_tokens: lots}}\n{ONE}}}]", "max_tokens .'lots'. must be a whole"),
        (f"name: m\nbudget: {{max_frames: true}}\n{ONE}}}]", "max_frames .True. must be a whole"),
        (f"name: m\nremix: maybe\n{ONE}}}]", "remix .'maybe'. must be true or false"),
        (f"name: [m]\n{ONE}}}]", "name .*must be a text in quotes"),
        (f"name: m\n{ONE}, filters: {{unique: 'no'}}}}]", "unique .'no'. must be true or false"),
        (f"name: m\n{ONE}, filters: {{min_words: 9, max_words: 3}}}}]", "min_words .9. is over max"),
        (f"name: m\n{ONE}, columns: [query]}}]", "columns .*must be a mapping, each value a text"),
        (f"name: m\n{ONE}, judge_as: pictures}}]", "judge_as .'pictures'. must be one of"),
        ("name: m\nsources: [{dataset: t2vid/rows, files: [5]}]", "files .*must be a list, each"),
        ("name: m\nsources: [{dataset: a/b, split: 2020-01-01}]", "split .*must be a text in quotes"),
        ("name: m\nsources: [{dataset: a/b, revision: 7}]", "revision .7. must be a text in quotes"),
    ],
)  # fmt: skip
def test_a_value_of_another_kind_and_a_key_that_stands_twice_are_refused(text, message):
    with pytest.raises(InputError, match=message):
        Recipe.from_yaml(text + "\n")


def test_anchors_and_what_they_bring_may_stand_twice(tmp_path):
    shared = "- &one {dataset: a/b, name: x, count: 3}\n- {<<: *one, name: y}"
    recipe = Recipe.from_yaml(f"name: m\nsources:\n{shared}\n")
    assert [(s.name, s.count) for s in recipe.sources] == [("x", 3), ("y", 3)]
    (tmp_path / "wide.yaml").write_bytes(f"name: m\nsources:\n{shared}\n".encode("utf-16"))
    with pytest.raises(InputError, match="wide.yaml.* is no YAML"):
        Recipe.from_yaml(tmp_path / "wide.yaml")
