from __future__ import annotations

from types import SimpleNamespace
from unittest import mock

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.utils.data import DataLoader

from t2vid.errors import InputError
from t2vid.mixing.groups import GroupPlan, StratifiedPlan
from t2vid.mixing.plan import PlanSampler, RowPlan
from t2vid.mixing.stream import PlanStream

ROWS = list(range(100, 153))
PLAN = RowPlan(len(ROWS), seed=4)
ORDER = [ROWS[i] for i in PLAN.rows(0, len(ROWS))]


def loaded(stream: PlanStream, workers: int) -> list[list[int]]:
    loader = DataLoader(stream, batch_size=4, num_workers=workers)
    return [batch.tolist() for batch in loader]


@pytest.mark.parametrize("workers", [0, 1, 2])
def test_the_stream_is_the_plan_for_any_number_of_workers(workers):
    batches = loaded(PlanStream(ROWS, PLAN, batch_size=4), workers)
    assert sum(batches, []) == ORDER
    assert [len(batch) for batch in batches] == [4] * 13 + [1]


@pytest.mark.parametrize("world_size", range(1, 9))
def test_the_ranks_share_the_plan_and_go_on_from_one_integer(world_size):
    def run(position: int, world: int, steps: int | None) -> list[int]:
        ranks = [
            loaded(
                PlanStream(ROWS, PLAN, batch_size=3, position=position, rank=r, world_size=world), 0
            )
            for r in range(world)
        ]
        return [x for step in zip_ragged(ranks)[:steps] for batch in step for x in batch]

    def zip_ragged(ranks: list[list[list[int]]]) -> list[list[list[int]]]:
        longest = max(len(rank) for rank in ranks)
        return [[rank[i] for rank in ranks if i < len(rank)] for i in range(longest)]

    def loaded(stream: PlanStream, workers: int) -> list[list[int]]:
        return [b.tolist() for b in DataLoader(stream, batch_size=3, num_workers=workers)]

    assert run(0, world_size, None) == ORDER
    for steps in range(len(ROWS) // (3 * world_size) + 1):
        position = steps * 3 * world_size
        first = run(0, world_size, steps)
        assert first == ORDER[:position]
        other = 9 - world_size
        assert first + (run(position, other, None) if position < len(ROWS) else []) == ORDER


def test_the_sampler_gives_a_map_style_loader_the_same_rows():
    loader = DataLoader(ROWS, batch_size=4, sampler=PlanSampler(PLAN))
    assert [x for batch in loader for x in batch.tolist()] == ORDER


def test_set_epoch_gives_the_order_of_that_epoch():
    stream = PlanStream(ROWS, PLAN, batch_size=4)
    stream.set_epoch(2)
    n = len(ROWS)
    assert list(stream) == [ROWS[i] for i in PLAN.rows(2 * n, 3 * n)]
    assert list(PlanStream(ROWS, PLAN, batch_size=4, position=n, epochs=2)) == [
        ROWS[i] for i in PLAN.rows(n, 3 * n)
    ]


def test_a_plan_over_other_rows_is_an_error():
    with pytest.raises(InputError, match=r"over 53 rows, the dataset has 2"):
        PlanStream([1, 2], PLAN, batch_size=1)


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("kind", ["stream", "sampler"])
def test_stateful_data_loader_resumes_with_exactly_the_rest(workers, kind):
    torchdata = pytest.importorskip("torchdata.stateful_dataloader", reason="needs torchdata")

    def loader():
        if kind == "stream":
            return torchdata.StatefulDataLoader(
                PlanStream(ROWS, PLAN, batch_size=4), batch_size=4, num_workers=workers
            )
        return torchdata.StatefulDataLoader(
            ROWS, batch_size=4, sampler=PlanSampler(PLAN), num_workers=workers
        )

    for stop in (1, 5, 12):
        first, rows = loader(), []
        for step, batch in enumerate(first, 1):
            rows += batch.tolist()
            if step == stop:
                break
        second = loader()
        second.load_state_dict(first.state_dict())
        rows += [x for batch in second for x in batch.tolist()]
        assert rows == ORDER, f"stopped after {stop} batches"


@st.composite
def runs(draw: st.DrawFn) -> tuple[int, int, list[tuple[int, int, int, list[int]]]]:
    """Rows, a window, and runs one after the other: ranks, workers, batch size, and where each stops."""
    n_rows = draw(st.integers(1, 60))
    parts = []
    for _ in range(draw(st.integers(1, 3))):
        world, workers = draw(st.integers(1, 4)), draw(st.integers(1, 3))
        stops = draw(
            st.lists(st.integers(0, 12), min_size=world * workers, max_size=world * workers)
        )
        parts.append((world, workers, draw(st.integers(1, 5)), stops))
    return n_rows, draw(st.integers(1, 4)), parts


@settings(max_examples=60, deadline=None)
@given(runs(), st.sampled_from([None, "mixed", "apart"]))
def test_no_row_is_lost_or_doubled_wherever_every_worker_stops(run, stratify):
    n_rows, window, parts = run
    plan = GroupPlan([min(7, n_rows - at) for at in range(0, n_rows, 7)], seed=2, window=window)
    if stratify:
        plan = StratifiedPlan(
            plan, ["ab"[i % 3 % 2] for i in range(n_rows)], batch_size=3, how=stratify
        )
    rows, states, seen = list(range(n_rows)), None, []
    for world, workers, size, stops in [*parts, (1, 1, 1, [n_rows])]:
        after = []
        for place in range(world * workers):
            one = PlanStream(rows, plan, batch_size=size, rank=place // workers, world_size=world)
            if states is not None:
                one.load_state_dict(states)
            with as_worker(place % workers, workers):
                seen += [row for _, row in zip(range(stops[place]), one, strict=False)]
                after.append(one.state_dict())
        states = after
    assert sorted(seen) == rows


def as_worker(worker: int, workers: int):
    """Be one worker of a DataLoader."""
    info = SimpleNamespace(id=worker, num_workers=workers)
    return mock.patch("torch.utils.data.get_worker_info", lambda: info)


def test_one_state_of_several_ranks_is_refused():
    one = PlanStream(ROWS, PLAN, batch_size=4, rank=1, world_size=2)
    with pytest.raises(InputError, match=r"\(0, 0\)\] are missing"):
        PlanStream(ROWS, PLAN, batch_size=4).load_state_dict([one.state_dict()])
    with pytest.raises(InputError, match="of \\[53\\] rows, this stream has 2"):
        PlanStream([1, 2], RowPlan(2), batch_size=4).load_state_dict(one.state_dict())


def test_an_interrupted_epoch_ends_where_it_would_have():
    first = PlanStream(ROWS, PLAN, batch_size=4, position=len(ROWS), rank=1, world_size=2)
    other = PlanStream(ROWS, PLAN, batch_size=4, position=len(ROWS), rank=0, world_size=2)
    seen = [row for _, row in zip(range(6), first, strict=False)]
    second = PlanStream(ROWS, PLAN, batch_size=3)
    second.load_state_dict([other.state_dict(), first.state_dict()])
    assert sorted([*seen, *second]) == sorted(ROWS)
    second.load_state_dict([other.state_dict(), first.state_dict()])
    second.set_epoch(1)  # it is in that epoch: nothing moves
    assert sorted([*seen, *second]) == sorted(ROWS)


@pytest.mark.parametrize("base", [GroupPlan([10] * 10, seed=1), RowPlan(100, seed=1)])
@pytest.mark.parametrize("how", ["mixed", "apart"])
def test_batches_by_source(how, base):
    sources = ["a"] * 60 + ["b"] * 30 + ["c"] * 10
    plan = StratifiedPlan(base, sources, batch_size=10, how=how)
    batches = [[sources[i] for i in plan.at(np.arange(at, at + 10))] for at in range(0, 100, 10)]
    if how == "mixed":
        assert all((b.count("a"), b.count("b"), b.count("c")) == (6, 3, 1) for b in batches)
    else:
        assert all(len(set(batch)) == 1 for batch in batches)
    assert plan.at(np.arange(100)).tolist() != plan.at(np.arange(100) + 100).tolist()
