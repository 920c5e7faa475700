"""What a run tells others: its figures to the usual trackers, its model to the Hub."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from datasets import Dataset, Image, List

from hub import Hub
from t2vid.models.tiny import tiny_idefics3
from t2vid.schema import row_features
from t2vid.trainer import VideoSFTTrainer
from training_rows import cpu_settings, mixed_rows, texts

ROWS = mixed_rows()
OURS = {"frames_per_s", "tokens_per_s", "padding_share", "data_wait_share"}
SOURCES = {"loss/clips", "loss/pages", "loss/words"}


def tags(folder: Path) -> dict[str, int]:
    """Count the values of each name in TensorBoard's event files."""
    import struct

    from tensorboardX.proto.event_pb2 import Event

    found: dict[str, int] = {}
    for path in folder.rglob("events.out.*"):
        data, at = path.read_bytes(), 0
        while at < len(data):
            (size,) = struct.unpack_from("<Q", data, at)  # TFRecord: length, crc, body, crc
            event = Event.FromString(data[at + 12 : at + 12 + size])
            at += 16 + size
            for value in event.summary.value:
                found[value.tag] = found.get(value.tag, 0) + 1
    return found


def test_tensorboard_by_name_gets_every_figure_of_every_step(tmp_path, monkeypatch):
    monkeypatch.setenv("TENSORBOARD_LOGGING_DIR", str(tmp_path / "board"))
    model, processor = tiny_idefics3(texts(ROWS))
    args = cpu_settings(
        tmp_path / "run",
        max_steps=2,
        per_device_train_batch_size=8,
        report_to="tensorboard",
    )
    data = Dataset.from_list(ROWS, features=row_features(List(Image())))
    VideoSFTTrainer(model, args, train_dataset=data, processing_class=processor).train()
    found = tags(tmp_path)
    for name in {"loss"} | OURS | SOURCES:
        assert found.get(f"train/{name}") == 2, name


@pytest.mark.parametrize("name", ["trackio", "wandb"])
def test_other_trackers_are_those_of_transformers(name):
    from transformers.integrations import INTEGRATION_TO_CALLBACK

    # they write what `on_log` brings, and `log` puts our figures there (see the test above)
    assert callable(INTEGRATION_TO_CALLBACK[name].on_log)


def test_a_pushed_model_loads_from_the_hub_with_the_same_logits(tmp_path):
    with Hub() as hub:
        done = subprocess.run(
            [sys.executable, Path(__file__).parent / "push_run.py", tmp_path / "run"],
            env=hub.environment(tmp_path / "home"),
            capture_output=True,
            text=True,
            timeout=200,
        )
        assert done.returncode == 0, done.stderr[-3000:]
        assert "same logits" in done.stdout
        files = hub.files("models/me/tiny-video")
    assert {"model.safetensors", "processor_config.json", "tokenizer.json"} <= set(files)
    assert "- t2vid" in files["README.md"].decode().split("---")[1]  # a tag of its card
