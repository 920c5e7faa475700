"""Whatever is in the catalogue is loadable, converts, has a licence and one name."""

from __future__ import annotations

import importlib
import json
import pkgutil
from itertools import chain

import pytest
from datasets import get_dataset_config_names, load_dataset

import t2vid  # noqa: F401  (registers the names)
from t2vid import catalog
from t2vid.corpora.licences import NOT_STATED, licences_of
from t2vid.errors import InputError
from t2vid.evaluation.benchmarks.reader import reader_of
from t2vid.frames.spec import RenderSpec, SampleSpec
from t2vid.mixing.budget import Budget
from t2vid.mixing.recipe import Recipe, Source
from t2vid.models.families import family_of

TABLES = {
    "corpora": catalog.CORPORA,
    "benchmarks": catalog.BENCHMARKS,
    "metrics": catalog.METRICS,
    "judges": catalog.JUDGES,
    "families": catalog.FAMILIES,
    "recipes": catalog.recipes(),
}


@pytest.mark.parametrize("kind", TABLES)
def test_a_name_or_an_alias_means_one_entry(kind):
    seen = {}
    for entry in TABLES[kind]:
        for name in {entry.name, *entry.aliases}:
            assert seen.setdefault(catalog.plain(name), entry) is entry, name


def test_every_module_that_an_entry_names_is_there():
    for entry in catalog.JUDGES:
        assert callable(pkgutil.resolve_name(entry.load))
    for entry in catalog.CORPORA:
        if entry.converter:
            assert callable(importlib.import_module(entry.converter).convert)
    for entry in catalog.BENCHMARKS:
        reader = reader_of(entry.name)
        assert reader.source == entry.name and reader.configs
        public = all(reader.hub_files(config) for config in reader.configs)
        assert public or reader.patterns or entry.builder != "benchmark", entry.name
    for family in catalog.FAMILIES:
        module, _, function = family.tiny.partition(":")
        assert not module or callable(getattr(importlib.import_module(module), function))
    for loadable in catalog.loadable().values():
        importlib.import_module(loadable.builder)


@pytest.mark.parametrize("name", catalog.loadable())
def test_load_dataset_knows_every_name_with_its_configurations(name):
    configs = get_dataset_config_names(name)
    entry = name.removeprefix("t2vid/")
    if entry in {one.name for one in catalog.BENCHMARKS}:
        assert sorted(configs) == sorted(reader_of(entry).configs)
    assert configs


def test_a_text_corpus_loads_by_its_own_name(tmp_path):
    rows = [{"context": "It rains.", "question": "Why?", "answer": "Clouds."}]
    (tmp_path / "mine.json").write_text(json.dumps(rows))
    for name, config in (("t2vid/triplets", None), ("t2vid/synthetic", "triplets")):
        rows = load_dataset(name, config, data_files=str(tmp_path / "mine.json"), split="train")
        assert rows["id"][:] == ["triplets/00000"] and rows["source"][:] == ["triplets"]


def test_every_corpus_is_a_source_of_a_recipe_under_both_of_its_names():
    for entry in (one for one in catalog.CORPORA if one.converter and not one.bundled):
        source = Source(f"t2vid/{entry.name}")
        assert source.entry is entry and source.name == entry.name
        assert source == Source(entry.dataset, config=entry.config)
        assert source.is_video == (entry.kind == "video")


def test_a_source_that_is_no_corpus_names_what_is_near():
    with pytest.raises(InputError, match="did you mean 't2vid/sharegemini'"):
        Source("t2vid/share_gemini2")
    with pytest.raises(InputError, match="config of t2vid/synthetic.*did you mean 'longqlora'"):
        Source("t2vid/synthetic", config="longqlra")
    with pytest.raises(InputError, match="must be one of"):
        Source("t2vid/mvbench")


def test_a_third_video_corpus_is_read_by_its_own_converter(monkeypatch, tmp_path):
    """One module and one entry make a corpus; nothing falls back to another one's format."""
    (tmp_path / "third_corpus.py").write_text(
        "from t2vid.corpora.clips import Clip\n"
        "def convert(rows, counts, *, source):\n"
        "    for n, row in rows:\n"
        "        yield Clip(f'{source}/{n}', row['film'], (('user', 'What?'), ('assistant', 'A.')))\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    entry = catalog.Corpus(
        "films", "video", "films", "third_corpus", files=("films.jsonl",), licence="mit"
    )
    monkeypatch.setattr("t2vid.catalog.CORPORA", (*catalog.CORPORA, entry))
    (tmp_path / "films.jsonl").write_text('{"film": "a.mp4"}\n')
    from t2vid.mixing.sources import RecordLocation, SourceReader

    reader = SourceReader(Source("t2vid/films"), tmp_path)
    [(_, [item], _)] = reader.read([RecordLocation(*reader.places()[0].tolist())])
    assert (item.video, item.text) == ("a.mp4", "")
    assert "t2vid/films" in catalog.loadable()
    assert licences_of(["films"])["films"].id == "mit"


def test_every_corpus_has_its_licence_on_a_card_and_a_stranger_has_none():
    for entry in (one for one in catalog.CORPORA if not one.bundled):
        assert licences_of([entry.name])[entry.name].id == (entry.licence or NOT_STATED)
    # a source that is merely called like a bundled one is not ours
    assert licences_of(["sample"])["sample"].id == NOT_STATED


@pytest.mark.parametrize("name", ["minicpm", "minicpmv", "minicpm_v_2_5", "MiniCPM-V-2.5"])
def test_one_family_has_one_name_wherever_it_is_named(name):
    assert catalog.family(name).name == family_of(name).name == "minicpm"
    assert SampleSpec(size=name) == SampleSpec(size="minicpm")
    assert Budget(family=name, max_tokens=8192) == Budget(family="minicpm", max_tokens=8192)
    assert Budget.preset(name) == Budget.preset("minicpm")
    recipe = Recipe.from_yaml("hybrid-30k")
    assert recipe.for_family(name) == recipe.for_family("minicpm")
    assert RenderSpec().for_family(name) == RenderSpec().for_family("minicpm")


def test_a_training_recipe_names_a_family_and_a_mix_of_the_catalogue():
    import yaml

    mixes = [recipe.name for recipe in catalog.recipes("mix")]
    for recipe in catalog.recipes("training"):
        asked = yaml.safe_load(recipe.path.read_text())
        assert catalog.family(asked["family"]).name == asked["family"]
        assert asked["dataset_config"] in mixes and recipe.about


@pytest.mark.parametrize("name", ["tiny", "tiny-minicpm", "tiny-minicpmv", "tiny-internvl"])
def test_a_tiny_model_is_found_by_its_family(name):
    assert catalog.tiny(name).tiny


@pytest.mark.parametrize("name", ["tiny-qwen_vl", "tinyllama", "tiny-", "me/tiny-minicpm"])
def test_what_is_no_tiny_model_is_a_checkpoint(name):
    assert catalog.tiny(name) is None


@pytest.mark.parametrize("kind", [None, *TABLES, "presets"])
def test_the_listing_holds_every_entry_as_a_table_and_as_json(kind):
    listed = catalog.listing(kind)
    told = json.loads(json.dumps(listed.to_dict()))
    for name, rows in told.items():
        entries = TABLES.get(name, catalog.PRESETS)
        assert [row["name"] for row in rows] == [entry.name for entry in entries]
    lines = listed.table().splitlines()
    for row in chain.from_iterable(told.values()):
        assert any(line.startswith(f"{row['name']} ") for line in lines)


def test_an_unknown_kind_is_refused_with_what_is_near():
    with pytest.raises(InputError, match="did you mean 'families'"):
        catalog.listing("familys")


def test_a_benchmark_that_fails_on_a_record_names_it_and_one_that_refuses_counts_it():
    from t2vid.errors import RecordError
    from t2vid.evaluation.benchmarks.reader import BenchmarkReader, Unusable
    from t2vid.schema import Counts

    class Mine(BenchmarkReader):
        source = "mine"

        def question(self, record, place, *, config, subtitles):
            if record["a"] is None:
                raise Unusable("no a")
            return {"yes": "A"}[record["a"]]

    counts = Counts()
    rows = [(0, {"a": "yes"}), (1, {"a": None}), (2, {"a": "maybe"})]
    assert list(Mine().convert(rows[:2], counts)) == ["A"] and counts.dropped == {"no a": 1}
    with pytest.raises(
        RecordError, match="mine row 2 made its reader fail .KeyError: 'maybe'.*'a'"
    ):
        list(Mine().convert(rows, counts))


def test_a_recipe_is_described_by_a_whole_sentence():
    cut = [one.name for one in catalog.recipes() if not one.about.endswith(".")]
    assert cut == []
