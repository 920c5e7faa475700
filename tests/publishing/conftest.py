"""A loopback Hub that this very process talks to, without waiting between tries."""

from __future__ import annotations

import types
from collections.abc import Iterator
from pathlib import Path

import datasets
import huggingface_hub.utils._http
import pytest
import tenacity.nap
from datasets import Dataset

from hub import Hub
from rows import dataset_of, text_rows, video_rows


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds that each pause between two tries would have taken."""
    noted: list[float] = []
    clock = types.SimpleNamespace(sleep=noted.append)
    monkeypatch.setattr(huggingface_hub.utils._http, "time", clock)
    monkeypatch.setattr(tenacity.nap, "time", clock)
    return noted


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, waits: list[float]) -> Iterator[Hub]:
    """A Hub that `huggingface_hub` and `datasets` of this process take for the real one."""
    with Hub() as server:
        template = f"{server.url}/{{repo_id}}/resolve/{{revision}}/{{filename}}"
        constants = huggingface_hub.constants
        monkeypatch.setattr(constants, "ENDPOINT", server.url)
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
        monkeypatch.setattr(constants, "HF_HOME", str(tmp_path / "home"))
        monkeypatch.setattr(datasets.config, "HF_ENDPOINT", server.url)
        monkeypatch.setenv("HF_TOKEN", "hf_test")
        yield server


@pytest.fixture
def texts() -> Dataset:
    """Forty rows of text."""
    return dataset_of(text_rows(40))


@pytest.fixture
def videos(tmp_path: Path) -> Path:
    """A folder of clips."""
    return tmp_path / "corpus"


@pytest.fixture
def mix(videos: Path) -> Dataset:
    """Rows of both kinds."""
    return dataset_of([*text_rows(6), *video_rows(videos)])
