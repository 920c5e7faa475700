"""The numbers see what the paper's pictures show: nine islands, a cloud once text is mixed in."""

from __future__ import annotations

import json

import numpy as np
import pytest
from datasets import Dataset

from t2vid.errors import InputError
from t2vid.insight import compare
from t2vid.insight.diversity import SAMPLE, diversity, select_diverse
from t2vid.insight.embedding import embed
from t2vid.insight.templates import template_of
from t2vid.schema import messages

WORDS = (
    "lake boat tower clock green early letter walk seven stone market bread lamp river song".split()
)
TEMPLATES = [
    f"{verb} {what}"
    for verb in ("Describe closely", "Explain in order", "Summarise briefly")
    for what in ("the events of this clip.", "everything a viewer sees.", "how the scene changes.")
]


@pytest.fixture(scope="module")
def nine() -> list[str]:
    rng = np.random.default_rng(0)
    return [TEMPLATES[at] for at in rng.integers(0, 9, 300)]


@pytest.fixture(scope="module")
def varied() -> list[str]:
    rng = np.random.default_rng(1)
    return [f"{n} " + " ".join(rng.choice(WORDS, 8)) for n in range(300)]


@pytest.fixture(scope="module")
def found(nine, varied):
    return diversity({"nine": nine, "mix": nine[:150] + varied[:150]}, seed=3, embedder="tfidf")


def test_nine_templates_are_nine_clusters_on_nine_islands(found):
    source = found.sources["nine"]
    assert source.n_clusters == 9
    assert source.cluster_share.value == source.template_share.value == 1
    points = {}
    for (x, y), text, label in zip(found.xy, found.texts, found.labels, strict=True):
        if label == "nine":
            points.setdefault(text, []).append((x, y))
    centres = {text: np.mean(places, axis=0) for text, places in points.items()}
    for text, places in points.items():
        spread = max(np.linalg.norm(np.array(place) - centres[text]) for place in places)
        others = (np.linalg.norm(centres[text] - centres[t]) for t in centres if t != text)
        assert spread < min(others)


def test_mixing_texts_in_raises_every_number(found):
    nine, mix = found.sources["nine"], found.sources["mix"]
    assert mix.cluster_entropy.low > nine.cluster_entropy.high
    assert mix.vendi.low > nine.vendi.high
    assert mix.nearest.low > nine.nearest.high
    assert mix.template_share.high < nine.template_share.low
    assert mix.cluster_share.high < nine.cluster_share.low
    assert mix.distinct_2 > nine.distinct_2


def test_a_running_number_makes_no_other_template_cluster_or_vector():
    rows = [f"{text} (clip {n})" for n in range(20) for text in TEMPLATES[:6]]
    source = diversity(rows, embedder="tfidf").sources["rows"]
    assert source.template_share.value == 1 and source.n_clusters == len(source.templates) == 6
    assert source.nearest.value == pytest.approx(0, abs=1e-6)


def test_the_largest_groups_are_named_by_their_own_words():
    rows = ["Count the boats on the lake."] * 30 + ["Why do the people sing?"] * 20
    found = diversity(rows)
    assert [mark.n for mark in found.landmarks] == [30, 20]
    assert "boats" in found.landmarks[0].words and "sing" in found.landmarks[1].words
    said = {word for mark in found.landmarks for word in mark.words.split()}
    assert not said & {"the", "of", "in", "what", "this"}


def test_the_same_seed_gives_the_same_map_and_numbers(nine, varied):
    rows = nine[:40] + varied[:40]
    first, second = diversity(rows, seed=5), diversity(rows, seed=5)
    assert json.dumps(first.to_dict()) == json.dumps(second.to_dict())


def test_intervals_hold_their_value(found):
    for source in found.sources.values():
        for figure in (source.cluster_entropy, source.vendi, source.nearest, source.template_share):
            assert figure.low <= figure.value <= figure.high


@pytest.mark.parametrize(
    "texts",
    [
        ["Why?"] * 40,
        ["Why?", "Why?", "Who came?"] * 9,
        [f"Clip {n}?" for n in range(30)],
        ["A b", "C"],
    ],
)
def test_instructions_of_one_or_two_kinds_have_a_map(texts):
    found = diversity(texts, embedder="tfidf")
    places = {tuple(place) for place in found.xy.tolist()}
    assert len(places) == len(set(map(template_of, texts))) and np.isfinite(found.xy).all()


def test_intervals_end_where_the_measure_ends():
    for texts in (["Why do they run?", "Count boats."], ["Why?"] * 5, ["Why?", "Who came?", "No."]):
        source = diversity(texts, embedder="tfidf").whole
        assert 0 <= source.cluster_entropy.low and source.cluster_entropy.high <= np.log(len(texts))
        assert 1 <= source.vendi.low + 1e-9 and source.vendi.high <= len(texts) + 1e-9
        assert 0 <= source.nearest.low and str(source.cluster_entropy)[0] != "-"


def test_few_instructions_are_told_apart_by_all_of_their_words():
    source = diversity(["Why do they run?", "Count the boats."], embedder="tfidf").whole
    assert source.n_clusters == 2 and source.vendi.value == pytest.approx(2)


def test_a_source_called_all_is_not_taken_for_the_whole():
    named = {"all": ["Why?", "When?"], "texts": ["Who came?", "Count them.", "Go on."]}
    found = diversity(named, embedder="tfidf")
    assert [(name, one.n) for name, one in found.sources.items()] == [
        ("all", 2),
        ("texts", 3),
        ("all sources", 5),
    ]
    assert found.whole.n == 5


def test_a_dataset_is_read_by_source_without_drawing_a_frame(nine):
    rows = [
        {
            "source": "a" if n % 2 else "b",
            "images": None,
            "messages": messages([("user", text), ("assistant", "So.")], n_frames=2),
        }
        for n, text in enumerate(nine[:60])
    ]
    found = diversity(Dataset.from_list(rows))
    assert set(found.sources) == {"a", "b", "all"}
    assert sorted(found.texts) == sorted(nine[:60])


def test_a_sample_is_no_larger_than_asked(varied):
    assert diversity(varied, sample=50).sources["rows"].n == 50 < len(varied) < SAMPLE


@pytest.mark.parametrize("rows", [[], ["one"], ["", "  "]])
def test_too_few_or_empty_instructions_are_refused(rows):
    with pytest.raises(InputError, match="instructions"):
        diversity(rows)


def test_selection_covers_what_random_rows_miss(nine, varied):
    rows = nine + varied[:9]
    chosen = select_diverse(rows, 18, seed=0)
    assert set(chosen) == set(TEMPLATES) | set(varied[:9])


def test_selection_is_deterministic_ordered_and_without_repeats(varied):
    rows = Dataset.from_dict({"messages": [[{"role": "user", "content": t}] for t in varied]})
    first = [row["messages"][0]["content"] for row in select_diverse(rows, 40, seed=2)]
    assert first == select_diverse(varied, 40, seed=2)
    assert len(set(first)) == 40
    assert [varied.index(text) for text in first] == sorted(varied.index(text) for text in first)


@pytest.mark.parametrize("k", [0, 10])
def test_a_selection_of_no_or_too_many_rows_is_refused(k):
    with pytest.raises(InputError, match="must be from 1 to the number of rows, 3"):
        select_diverse(["a b", "c d", "e f"], k)


@pytest.fixture(scope="module")
def tiny_bert(tmp_path_factory) -> str:
    """A sentence-transformers folder with random weights, made on the spot."""
    pytest.importorskip(
        "sentence_transformers", reason="sentence-transformers is not installed (extra embed)"
    )
    import torch
    from transformers import BertConfig, BertModel, BertTokenizerFast

    folder = tmp_path_factory.mktemp("bert")
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS, *"describe clip why".split()]
    (folder / "vocab.txt").write_text("\n".join(words))
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(words), hidden_size=32, num_hidden_layers=1, num_attention_heads=2,
        intermediate_size=32, max_position_embeddings=64,
    )  # fmt: skip
    BertModel(config).save_pretrained(folder)
    BertTokenizerFast(str(folder / "vocab.txt")).save_pretrained(folder)
    return str(folder)


@pytest.mark.filterwarnings("ignore")  # of the libraries underneath, as they load
def test_a_model_in_a_local_folder_embeds_and_is_named(tiny_bert, nine, varied):
    rows = nine[:30] + varied[:30]
    vectors, how = embed(rows, embedder=tiny_bert)
    assert vectors.shape == (60, 32) and np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert how == f"sentence-transformers: {tiny_bert}"
    found = diversity(rows, embedder=tiny_bert)
    assert found.embedder == how and found.xy.shape == (60, 2)
    assert len(set(select_diverse(rows, 20, embedder=tiny_bert))) == 20


def test_without_the_model_the_words_are_counted_and_that_is_said(tmp_path, varied, caplog):
    pytest.importorskip("sentence_transformers")
    gone = tmp_path / "no-such-model"
    vectors, how = embed(varied[:20], embedder=str(gone))
    plain, _ = embed(varied[:20], embedder="tfidf")
    assert np.array_equal(vectors, plain)
    assert how.startswith("TF-IDF") and f"because {gone} could not be loaded" in how
    assert "no-such-model" in caplog.text


def test_what_takes_seconds_to_import_is_left_alone_where_its_model_is_not_there(monkeypatch):
    asked = []
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    monkeypatch.setattr("t2vid.insight.embedding.require", lambda name, extra: asked.append(name))
    _, how = embed(["Why?", "Who came?"])
    assert "is not installed" in how and asked == ["sklearn"]


@pytest.mark.filterwarnings("ignore")  # of the libraries underneath, as they load
def test_the_model_that_the_extra_brings_knows_meanings_without_a_network():
    asked = ["Describe the video in detail.", "Tell me everything that happens in the clip."]
    vectors, how = embed([*asked, "How many dogs are there?"])
    assert how == "sentence-transformers: all-MiniLM-L6-v2"
    assert vectors[0] @ vectors[1] > 0.4 > vectors[0] @ vectors[2]


def test_two_data_sets_are_measured_on_equally_many_instructions(nine, varied):
    found = compare(nine, varied[:30], names=("nine", "varied"), embedder="tfidf")
    assert {found.map.sources[name].n for name in ("nine", "varied")} == {30}
    assert found.difference("vendi") > 0 > found.difference("template_share")
    assert "nine" in found.table() and found.to_dict()["sources"]["varied"]["n"] == 30
    with pytest.raises(InputError, match="must differ"):
        compare(nine, varied, names=("a", "a"))
    with pytest.raises(InputError, match="known: n_clusters"):
        found.difference("nothing")


def test_a_bias_that_only_one_data_set_can_have_is_left_out_of_a_comparison():
    def rows(answers):
        said = [messages([("user", f"Why {a}?"), ("assistant", a)], n_frames=0) for a in answers]
        return Dataset.from_list([{"messages": one} for one in said])

    found = compare(
        rows(["A", "B", "A"]), rows(["It rains.", "It snows.", "No."]), embedder="tfidf"
    )
    titles = [row[0] for row in found.rows()]
    assert "one letter as the answer" not in titles and "answers of one length" in titles
    with pytest.raises(InputError, match="letter_share"):
        found.difference("letter_share")
