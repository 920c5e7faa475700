"""The paper's filters, decision for decision, against a second statement of them."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from t2vid.errors import BudgetError, InputError
from t2vid.mixing.budget import (
    Budget,
    Cost,
    TokenCounter,
    conversation_text,
    question_words,
    tokens_of_a_frame,
)
from t2vid.storage.cache import Cache


@pytest.fixture(scope="module")
def tokenizer():
    from tokenizers import Tokenizer, models, pre_tokenizers, processors, trainers
    from transformers import PreTrainedTokenizerFast

    raw = Tokenizer(models.BPE(unk_token="<unk>"))
    raw.pre_tokenizer = pre_tokenizers.ByteLevel()
    trainer = trainers.BpeTrainer(vocab_size=300, special_tokens=["<unk>", "<s>"])
    raw.train_from_iterator(["what does the keeper count in the harbour lamp"] * 50, trainer)
    raw.post_processor = processors.TemplateProcessing("<s> $A", special_tokens=[("<s>", 1)])
    return PreTrainedTokenizerFast(tokenizer_object=raw, unk_token="<unk>", bos_token="<s>")


# frames, tokens of everything and tokens a frame, as FORMATS section 5 states the scripts
TABLE = {
    "minicpm": (90, 8192, 96),
    "idefics3": (65, 10240, 169),
    "sparrow-minicpm": (100, 10240, 96),
}
QUESTION = {"longqlora": 30, "longalpaca": 500}


def paper_keeps(record: dict, frames: int, preset: str, corpus: str, tokenizer) -> bool:
    """What the published filters decide on a record of T2Vid-Synthetic."""
    max_frames, max_tokens, k = TABLE[preset]
    values = [turn["value"] for turn in record["conversations"]]
    if frames > max_frames:
        return False
    if sum(value.count("<video>") for value in values) != 1 or "<video>" not in values[0]:
        return False
    if len(values[0].split(" ")) >= QUESTION[corpus]:
        return False
    return len(tokenizer("\n".join(values)).input_ids) + k * frames <= max_tokens


def cases():
    rng = np.random.default_rng(7)
    edges = [28, 29, 30, 31, 498, 499, 500, 501]
    for i in range(1500):
        corpus = ["longqlora", "longalpaca"][i % 2]
        n = int(rng.choice(edges)) if i % 3 == 0 else int(rng.integers(1, 60))
        # runs of blanks and line breaks count in the paper's way only
        question = "".join(
            w + s
            for w, s in zip(
                ["lamp"] * n, rng.choice([" ", "  ", "\n"], n, p=[0.9, 0.05, 0.05]), strict=True
            )
        )
        answer = "the keeper counts " * int(rng.integers(1, 400))
        yield corpus, question.strip() or "lamp", answer.strip(), int(rng.integers(40, 105))


@pytest.mark.parametrize("preset", TABLE)
def test_every_decision_is_the_papers(preset, tokenizer):
    budget, count, kept = Budget.preset(preset), TokenCounter(tokenizer), 0
    rows = list(cases())
    turns = [(("user", q), ("assistant", a)) for _, q, a, _ in rows]
    tokens = count(conversation_text(turn, has_frames=True) for turn in turns)
    for (corpus, question, answer, frames), text_tokens in zip(rows, tokens, strict=True):
        record = {"conversations": [{"value": f"<video>\n{question}"}, {"value": answer}]}
        ours = not budget.over(Cost(frames, text_tokens, question_words(question)), source=corpus)
        assert ours == paper_keeps(record, frames, preset, corpus, tokenizer), (corpus, frames)
        kept += ours
    assert 50 < kept < 1450  # both decisions occur often


def test_the_token_limit_binds_before_the_frame_limit():
    assert Budget.preset("minicpm").frames_that_fit(text_tokens=0) == 85
    assert Budget.preset("idefics3").frames_that_fit(text_tokens=0) == 60


def test_limits_are_inclusive():
    budget = Budget(tokens_per_frame=10, max_tokens=100, max_frames=9)
    assert budget.over(Cost(9, 10)) == ""
    assert budget.over(Cost(9, 11)) == "over max_tokens"
    assert budget.over(Cost(10, 0)) == "over max_frames"


def test_no_limit_keeps_everything():
    assert Budget().over(Cost(10**6, 10**6, 10**6)) == ""
    assert Budget().frames_that_fit(text_tokens=5) is None


def test_the_error_names_the_numbers_and_the_next_move():
    budget = Budget.preset("minicpm")
    with pytest.raises(BudgetError) as caught:
        raise budget.error("longqlora/00412", Cost(64, 3168), "over max_tokens")
    message = str(caught.value)
    assert "'longqlora/00412' needs 9,312 tokens (64 frames x 96 + 3,168 text)" in message
    assert 'max_tokens=8,192; use over_budget="fewer_frames"' in message


@pytest.mark.parametrize(
    "wrong",
    [
        {"family": "gpt"},
        {"max_tokens": 100},
        {"family": "minicpm", "max_tokens": 0},
        {"max_frames": -1},
    ],
)
def test_a_budget_out_of_range_is_an_error(wrong):
    with pytest.raises(InputError):
        Budget(**wrong)


def test_an_unknown_preset_names_the_known_ones():
    with pytest.raises(InputError, match="idefics3"):
        Budget.preset("llama")


def test_a_processor_is_asked_what_a_frame_costs():
    class Processor:
        image_token = "<image>"

        def __call__(self, text, images):
            assert len(images[0]) == text[0].count("<image>")
            return {"input_ids": [[1] + [9] * (64 + 2) * len(images[0])]}

    assert tokens_of_a_frame(Processor()) == 66
    assert Budget.of(Processor(), max_tokens=660).frames_that_fit(text_tokens=0) == 10
    assert Budget(Processor(), max_tokens=660) == Budget(None, max_tokens=660, tokens_per_frame=66)


def test_tokens_are_counted_once_and_in_one_batch(tmp_path, tokenizer):
    asked: list[int] = []
    counter = TokenCounter(tokenizer)

    def count(texts):
        asked.append(len(texts))
        return counter(texts)

    texts = [f"the lamp {i % 30}" for i in range(100)]
    first = Cache(tmp_path / "c.sqlite").counted("tokens", texts, count)
    again = Cache(tmp_path / "c.sqlite").counted("tokens", texts, count)
    assert first == again == counter(texts)
    assert asked == [30]


def test_another_way_of_counting_is_another_number(tmp_path):
    cache = Cache(tmp_path / "c.sqlite")
    assert cache.counted("a", ["x"], lambda texts: [1]) == [1]
    assert cache.counted("b", ["x"], lambda texts: [2]) == [2]


def lengths(cache, *texts):
    return cache.counted("a", texts, lambda new: [len(t) for t in new])


@pytest.mark.parametrize("harm", ["damage", "delete", "delete all"])
def test_a_cache_that_is_damaged_or_deleted_in_use_is_begun_anew(tmp_path, caplog, harm):
    path = tmp_path / "kept" / "c.sqlite"
    cache = Cache(path)
    assert lengths(cache, "xy", "z") == [2, 1]
    if harm == "damage":
        path.write_bytes(b"no database" * 1000)
    elif harm == "delete":
        path.unlink()
    else:
        shutil.rmtree(path.parent)
    assert lengths(cache, "xy", "abc") == [2, 3]
    assert lengths(cache, "abcd") == [4]
    assert "begun anew" in caplog.text
    known = Cache(path).counted("a", ["abcd"], lambda new: pytest.fail("it was not kept"))
    assert known == [4]


def test_a_cache_that_cannot_be_written_costs_time_and_nothing_else(tmp_path, caplog):
    (tmp_path / "c.sqlite").mkdir()
    assert lengths(Cache(tmp_path / "c.sqlite"), "xy", "z") == [2, 1]
    assert lengths(Cache(tmp_path / "c.sqlite" / "x" / "y"), "xy") == [2]
    (tmp_path / "file").write_text("")
    assert lengths(Cache(tmp_path / "file" / "c.sqlite"), "xy") == [2]
    assert "not used" in caplog.text


def test_tokenizers_with_different_vocabularies_have_different_names(tokenizer):
    assert TokenCounter(tokenizer).name != TokenCounter().name == "estimate"
    assert TokenCounter(tokenizer).name == TokenCounter(tokenizer).name


def test_the_estimate_counts_words_digits_and_other_scripts():
    count = TokenCounter()
    assert count(["the lamp", "123456", ""]) == [2, 2, 0]
    assert count(["灯塔管理员"])[0] >= 4


@given(
    st.integers(1, 300), st.none() | st.integers(1, 9000), st.none() | st.integers(1, 96),
    st.integers(0, 10_000),
)  # fmt: skip
def test_frames_that_fit_are_the_most_that_do(
    tokens_per_frame, max_tokens, max_frames, text_tokens
):
    budget = Budget(tokens_per_frame=tokens_per_frame, max_tokens=max_tokens, max_frames=max_frames)
    n = budget.frames_that_fit(text_tokens=text_tokens)
    if n is None:
        assert max_tokens is None and max_frames is None
        return
    text_alone_fits = max_tokens is None or text_tokens <= max_tokens
    assert (budget.over(Cost(n, text_tokens)) == "") == text_alone_fits
    assert n == 0 or text_alone_fits
    assert budget.over(Cost(n + 1, text_tokens)) != ""
