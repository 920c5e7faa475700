from __future__ import annotations

import json

import numpy as np
import pytest

from t2vid.errors import InputError
from t2vid.mixing.overlap import arrays, find, likeness, minhash, read_benchmark, sketch, video_key

RNG = np.random.default_rng(0)
VOCABULARY = np.array([f"w{i}" for i in range(3000)])


def document(n: int, seed: int) -> list[str]:
    return np.random.default_rng(seed).choice(VOCABULARY, n).tolist()


def row(
    name: str, text: str, question: str = "What does the keeper count here?", answer: str = "Ships."
):
    source = name.partition("/")[0]
    return sketch(name, source, text, "", (("user", question), ("assistant", answer)))


def test_exact_repeats_between_sources_are_found():
    text = " ".join(document(500, 1))
    found = find(
        [arrays([row("a/0", text), row("a/1", text + " more")]), arrays([row("b/0", text)])], {}
    )
    assert found.between_sources["exact"] == 1
    assert found.examples["exact, two sources"] == ["a/0 = b/0"]
    assert found.found


def test_repeats_within_a_source_are_counted_apart():
    text = " ".join(document(500, 1))
    found = find([arrays([row("a/0", text), row("a/1", text)])], {})
    assert found.within_source["exact"] == 1 and not found.found


@pytest.mark.parametrize("seed", range(8))
def test_a_text_with_a_few_changed_words_is_near(seed):
    words = document(1500, seed)
    changed = list(words)
    for i in np.random.default_rng(seed).choice(1500, 12, replace=False):
        changed[i] = "other"
    found = find([arrays([row("a/0", " ".join(words)), row("b/0", " ".join(changed))])], {})
    assert found.between_sources == {"exact": 0, "near": 1}


def test_different_texts_with_one_question_are_no_repeats():
    rows = [row(f"{'ab'[i % 2]}/{i}", " ".join(document(400, i))) for i in range(60)]
    found = find([arrays(rows)], {})
    assert not found.found and found.within_source == {"exact": 0, "near": 0}


def test_one_text_with_different_questions_is_no_repeat():
    text = " ".join(document(400, 3))
    rows = [
        row("a/0", text),
        row("b/0", text, "Who wrote the paper about tides and lamps?", "Nobody knows it."),
    ]
    assert not find([arrays(rows)], {}).found


def test_videos_repeat_by_name_and_words():
    def clip(name: str, video: str, answer: str):
        return sketch(name, name[0], "", video, (("user", "Describe it."), ("assistant", answer)))

    rows = [
        clip("a/0", "x/v_dQw4w9WgXcQ.mp4", "A man sings."),
        clip("b/0", "dQw4w9WgXcQ", "A man sings."),
        clip("b/1", "dQw4w9WgXcQ", "Something else is said about the same film."),
        clip("b/2", "other", "A man sings."),
    ]
    assert find([arrays(rows)], {}).between_sources == {"exact": 1, "near": 0}


def test_the_estimate_of_likeness_is_near_the_truth():
    words = document(4000, 5)
    for share in (0.5, 0.8, 0.95):
        cut = int(4000 * share)
        a, b = minhash(" ".join(words)), minhash(" ".join(words[:cut]))
        assert abs(float(likeness(a, b)) - share) < 0.2
    assert float(likeness(minhash("a b c d e f"), minhash("A b, c d  e f!"))) == 1.0


def test_a_shingle_has_the_same_hash_wherever_it_stands():
    both = likeness(minhash("one two three four five"), minhash("one two three four five"))
    late = minhash("zero zero zero zero zero one two three four five", shingle=1)
    assert float(both) == 1.0
    assert minhash("five", shingle=1)[minhash("five", shingle=1) != 2**32 - 1] in late


@pytest.mark.parametrize("text", ["", "?!", "灯塔", "\ud800 x", "a\0b"])
def test_odd_texts_have_a_sketch(text):
    assert minhash(text).shape == (64,)


ASKED = "How many ships leave the harbour?"
BENCHMARKS = {
    "video_mme.jsonl": {"video_id": "001", "videoID": "abcdefghijk", "question": ASKED},
    "mvbench.jsonl": {"video": "star/abcdefghijk.mp4", "prompt": f"{ASKED}\nA. One.\nB. Two."},
    "temp.json": {"abcdefghijk": {"action": [{"question": f"{ASKED}\nA. 1", "answer": "A. 1"}]}},
}


@pytest.mark.parametrize("name", BENCHMARKS)
def test_videos_and_questions_of_each_benchmark_are_read(tmp_path, name):
    (tmp_path / name).write_text(json.dumps(BENCHMARKS[name]))
    assert read_benchmark(tmp_path / name) == (
        {"abcdefghijk"},
        ["how many ships leave the harbour"],
    )


def test_a_question_in_nearly_the_same_words_is_found(tmp_path):
    asked = (
        "How many of the small ships leave the old harbour before the lamp is lit by the keeper?"
    )
    (tmp_path / "b.jsonl").write_text(json.dumps({"video": "x", "question": asked}))
    rows = [
        row("a/0", "one", asked.upper()),
        row("a/1", "two", asked.replace("?", " tonight?")),
        row("a/2", "three", "Which of the keepers lit the lamp before the storm came?"),
        row("a/3", "four", "Why?"),
    ]
    found = find([arrays(rows)], {"b": tmp_path / "b.jsonl"}).benchmarks["b"]
    assert found == {"same video": 0, "same question": 1, "near question": 1}


def test_a_file_without_questions_is_an_error(tmp_path):
    (tmp_path / "b.jsonl").write_text('{"colour": "red"}')
    with pytest.raises(InputError, match="holds no video"):
        read_benchmark(tmp_path / "b.jsonl")


def test_the_shared_benchmark_files_are_read(shared_data):
    videos, questions = read_benchmark(shared_data / "benchmarks" / "mvbench.jsonl")
    assert len(videos) > 2000 and len(questions) > 1000


def test_names_of_one_video_have_one_key():
    assert video_key("v_12345678901.webm") == video_key("deep/er/12345678901.mp4") == "12345678901"
    assert video_key("v_short.mp4") == "v_short"


@pytest.mark.parametrize("field", ["material", "talk"])
def test_four_fifths_of_the_shingles_make_two_rows_near(field):
    one = row("a/0", " ".join(document(900, 5)), " ".join(document(900, 6)))
    for changed, near in ((12, 1), (13, 0)):  # of 64 bins: 0.81 and 0.80 of them are the same
        bins = getattr(one, field).copy()
        bins[-changed:] ^= 1
        other = one._replace(id="b/0", source="b", exact=bytes(16), **{field: bins})
        assert likeness(getattr(one, field), bins) == (64 - changed) / 64
        assert find([arrays([one, other])], {}).between_sources == {"exact": 0, "near": near}
