"""What two processes promise: frames on one rank and text on the other train as one process does."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parent / "distributed_run.py"

pytestmark = pytest.mark.slow


def losses(folder: Path, processes: int, stage: int | None = None) -> list[dict[str, float]]:
    """Run the script on so many processes and give its log lines."""
    out = folder / f"{processes}-{stage}.json"
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc_per_node", str(processes)]
    command += ["--master_port", str(29500 + os.getpid() % 1000), str(SCRIPT), str(out)]
    if stage is not None:
        config = {
            "zero_optimization": {"stage": stage},
            "train_batch_size": "auto",
            "train_micro_batch_size_per_gpu": "auto",
            "gradient_accumulation_steps": "auto",
            "gradient_clipping": "auto",
        }
        (folder / "ds.json").write_text(json.dumps(config))
        command.append(str(folder / "ds.json"))
    env = {**os.environ, "OMP_NUM_THREADS": "1", "DS_ACCELERATOR": "cpu"}
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(out.read_text())


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, float]]:
    return losses(tmp_path_factory.mktemp("alone"), 1)


@pytest.mark.parametrize("stage", [None, 2, 3])
def test_two_processes_have_the_losses_of_one(tmp_path, alone, stage):
    if stage is not None:
        pytest.importorskip("deepspeed")
    two = losses(tmp_path, 2, stage)
    for name in ("loss", "loss/clips", "loss/words"):
        ours, want = [x[name] for x in two], [x[name] for x in alone]
        assert ours == pytest.approx(want, rel=1e-3), name
