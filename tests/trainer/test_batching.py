"""What batching promises: every row once, no batch over its budget, packed rows as if alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from datasets import Dataset, Image, List
from hypothesis import given, settings
from hypothesis import strategies as st

from t2vid.errors import BudgetError, InputError
from t2vid.models.tiny import tiny_idefics3
from t2vid.schema import row_features
from t2vid.trainer.batching import TokenBatchSampler, cost, padding_share, plan_batches, row_lengths
from t2vid.trainer.collator import VideoCollator
from training_rows import mixed_rows, texts

ROWS = mixed_rows()


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(1, 500), min_size=4, max_size=80),
    st.integers(1, 4),
    st.booleans(),
    st.integers(0, 3),
)
def test_every_row_is_dealt_once_within_the_budget(lengths, world, pack, seed):
    plan = plan_batches(lengths, max_tokens=500, seed=seed, world=world, pack=pack, window=16)
    assert len(plan) % world == 0
    assert all(cost(batch, lengths, pack=pack) <= 500 for batch in plan)
    seen = [i for batch in plan for i in batch]
    assert set(seen) == set(range(len(lengths)))
    assert len(seen) - len(lengths) < world  # a repeat only where single rows do not divide
    shares = [list(TokenBatchSampler(plan, rank=r, world=world)) for r in range(world)]
    assert sorted(b for share in shares for b in share) == sorted(plan)
    assert len({len(share) for share in shares}) == 1


def test_the_plan_is_the_same_for_the_same_seed_and_epochs_differ():
    lengths = np.random.default_rng(0).integers(50, 4000, 300).tolist()
    plan = plan_batches(lengths, max_tokens=8192, seed=1)
    assert plan == plan_batches(lengths, max_tokens=8192, seed=1)
    assert plan != plan_batches(lengths, max_tokens=8192, seed=2)
    sampler = TokenBatchSampler(plan, seed=1)
    first = list(sampler)
    sampler.set_epoch(1)
    assert first != list(sampler) and sorted(first) == sorted(sampler)


def test_padding_is_small_for_a_mix_of_long_and_short_rows():
    rng = np.random.default_rng(0)
    lengths = np.concatenate([rng.integers(1000, 4400, 600), rng.integers(60, 400, 400)]).tolist()
    plan = plan_batches(lengths, max_tokens=8192, seed=0)
    random = [list(range(i, i + 4)) for i in range(0, 1000, 4)]
    assert padding_share(plan, lengths) < 0.05 < padding_share(random, lengths)
    packed = plan_batches(lengths, max_tokens=8192, seed=0, pack=True)
    assert padding_share(packed, lengths, pack=True) == 0
    assert sum(lengths) / (len(packed) * 8192) > 0.95


def test_a_row_over_the_budget_is_named():
    with pytest.raises(BudgetError, match=r"row 1 needs 900 tokens but .*=500 \(1 rows"):
        plan_batches([10, 900], max_tokens=500, seed=0)


@pytest.fixture(scope="module")
def tiny() -> Any:
    return tiny_idefics3(texts(ROWS))


def test_packed_rows_have_the_losses_of_rows_alone(tiny):
    model, processor = tiny
    collate = VideoCollator(processor, "idefics3")
    packed = VideoCollator(processor, "idefics3", pack=True)(ROWS)
    segments = packed.pop("segments")
    assert packed["input_ids"].shape[0] == 1 and "attention_mask" not in packed
    with torch.no_grad():
        labels = packed.pop("labels")
        logits = model(**packed).logits  # as a loop of one's own would call it
        for one, segment in zip(ROWS, segments, strict=True):
            alone = collate([one])
            alone.pop("segments")
            want = model(**alone).loss
            here = slice(segment.start, segment.end)
            got = torch.nn.functional.cross_entropy(
                logits[0, here][:-1], labels[0, here][1:], ignore_index=-100
            )
            assert torch.allclose(got, want, atol=1e-4)


def test_a_family_that_does_not_pack_says_so(tiny):
    with pytest.raises(InputError, match="'qwen_vl'"):
        VideoCollator(tiny[1], "qwen2_5_vl", pack=True)


def test_lengths_are_counted_from_the_rows_where_no_column_has_them(tiny):
    data = Dataset.from_list(ROWS, features=row_features(List(Image())))
    encode = VideoCollator(tiny[1], "idefics3").encode
    assert row_lengths(data, encode) == [len(encode(r).ids) for r in ROWS]
    assert row_lengths(data.remove_columns("n_frames"), encode) == row_lengths(data, encode)
    with pytest.raises(InputError, match="map-style"):
        row_lengths(data.to_iterable_dataset(), encode)
