"""Starts a run of a saved model on several processes, in ZeRO-3 shards or as DDP."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parent / "zero3_run.py"


def stage_3(folder: Path) -> str:
    """Write a DeepSpeed configuration of stage 3."""
    sizes = ("train_batch_size", "train_micro_batch_size_per_gpu", "gradient_accumulation_steps")
    stage = {"stage": 3, "stage3_gather_16bit_weights_on_model_save": True}
    config = folder / "zero3.json"
    config.write_text(json.dumps({"zero_optimization": stage, **dict.fromkeys(sizes, "auto")}))
    return str(config)


def trained(model: Path, out: Path, processes: int, *config: str) -> list[float]:
    """Train a saved model on so many processes, save it in `out`, and give its losses."""
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    command += ["--nproc_per_node", str(processes), str(SCRIPT), str(model), str(out), *config]
    env = {**os.environ, "OMP_NUM_THREADS": "1", "DS_ACCELERATOR": "cpu"}
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=250)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads((out / "losses.json").read_text())
