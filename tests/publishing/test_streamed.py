"""What was pushed streams, and what came over the network is kept."""

from __future__ import annotations

import functools
from pathlib import Path

import pytest
from datasets import load_dataset

import t2vid
from hub import Hub
from t2vid.errors import InputError
from t2vid.mixing import parquet_rows

# huggingface_hub 2.4 hands a file object to httpx in the old way
pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")


def test_a_mix_of_the_hub_streams_its_frames_and_keeps_them(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = load_dataset("t2vid/synthetic", split="train").select(range(6))
    t2vid.push(rows, "me/mix", licences="mit")
    open_stream = functools.partial(t2vid.stream, "me/mix", cache=tmp_path / "kept", window=1)
    found = {row["id"]: row["images"] for row in open_stream()}
    assert set(found) == set(rows["id"])
    assert found[rows[0]["id"]][0].tobytes() == rows[0]["images"][0].tobytes()
    monkeypatch.setattr(parquet_rows.ParquetRows, "_read", None)  # all of it is kept
    assert {row["id"] for row in open_stream(frames=False)} == set(found)
    with pytest.raises(InputError, match="has the splits \\['train'\\], not 'test'"):
        open_stream(split="test")
