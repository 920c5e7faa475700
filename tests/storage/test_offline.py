"""A Hub that cannot be reached costs two tries, one line, and no more for the files that follow."""

from __future__ import annotations

import logging

import datasets.config
import pytest
from huggingface_hub import constants
from huggingface_hub.errors import OfflineModeIsEnabled
from huggingface_hub.utils import _http, http_backoff

from t2vid.storage import offline

NOWHERE = "http://127.0.0.1:1/me/none"  # a port that refuses


@pytest.fixture
def away(monkeypatch):
    for module in (constants, datasets.config):
        monkeypatch.setattr(module, "HF_HUB_OFFLINE", False)
    monkeypatch.setenv("HF_HUB_OFFLINE", "")
    watching, hub = offline.HubIsAway(), logging.getLogger(offline.LOGGER)
    hub.addFilter(watching)
    yield watching
    hub.removeFilter(watching)


def test_the_second_failed_try_is_the_last_and_later_files_are_not_tried(away, monkeypatch, caplog):
    waited: list[float] = []
    monkeypatch.setattr(_http.time, "sleep", waited.append)
    for _ in range(3):
        with pytest.raises(OfflineModeIsEnabled):
            http_backoff("HEAD", NOWHERE)
    assert waited == [1, 2]  # six tries of each, 23 seconds, otherwise
    (line,) = [one.getMessage() for one in caplog.records]
    assert line.startswith("127.0.0.1:1 cannot be reached (") and "fetched before" in line
    assert datasets.config.HF_HUB_OFFLINE


def test_a_connection_that_is_lost_later_may_come_back(away, monkeypatch):
    away.began -= offline.AT_FIRST_S + 1
    monkeypatch.setattr(_http.time, "sleep", lambda seconds: None)
    with pytest.raises(Exception, match=r".") as caught:
        http_backoff("HEAD", NOWHERE)
    assert not isinstance(caught.value, OfflineModeIsEnabled) and not constants.HF_HUB_OFFLINE
