"""One training run of a saved tiny model on this process's share, started by torchrun.

torchrun --nproc_per_node 2 zero3_run.py MODEL OUT [deepspeed.json]
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from datasets import Dataset, Image, List

from t2vid.schema import row_features
from training_rows import cpu_settings, mixed_rows


def main(model: str, out: str, deepspeed: str | None = None) -> None:
    if deepspeed:
        import deepspeed as module
        from deepspeed import ops

        # Compiling this for CPU takes minutes, and a killed compilation leaves a lock behind.
        ops.__compatible_ops__["deepspeed_shm_comm"] = False
        module.init_distributed("gloo")
    from t2vid.trainer import VideoSFTTrainer

    # Rows with frames and rows without alternate, so that at a step one rank has none.
    rows = mixed_rows()
    order = [r for pair in zip(rows[:4], [rows[7]] * 4, strict=True) for r in pair]
    args = cpu_settings(
        out,
        per_device_train_batch_size=2 // int(os.environ.get("WORLD_SIZE", "1")),
        train_sampling_strategy="sequential",
        learning_rate=1e-3,
        lr_scheduler_type="constant",
        max_steps=3,
        deepspeed=deepspeed,
    )
    data = Dataset.from_list(order, features=row_features(List(Image())))
    run = VideoSFTTrainer(model, args, train_dataset=data)
    run.train()
    run.save_model()
    if run.accelerator.is_main_process:
        losses = [line["loss"] for line in run.state.log_history if "loss" in line]
        Path(out, "losses.json").write_text(json.dumps(losses))


if __name__ == "__main__":
    main(*sys.argv[1:])
