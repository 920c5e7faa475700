from __future__ import annotations

import pytest
from torch.utils.data import DataLoader

from t2vid.errors import InputError
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
