"""One training run on this process's share, started by torchrun; writes its losses as JSON.

torchrun --nproc_per_node 2 distributed_run.py OUT.json [deepspeed.json]
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from datasets import Dataset, Image, List

from t2vid.models.tiny import tiny_idefics3
from t2vid.schema import row_features
from training_rows import mixed_rows, texts


def main(out: str, deepspeed: str | None) -> None:
    if deepspeed:
        import deepspeed as deepspeed_module
        from deepspeed import ops

        # Compiling this for CPU takes minutes, and a killed compilation leaves a lock behind.
        ops.__compatible_ops__["deepspeed_shm_comm"] = False
        deepspeed_module.init_distributed("gloo")  # ZeRO-3 shards weights as they are made
    from t2vid.trainer import VideoSFTConfig, VideoSFTTrainer

    world = int(os.environ.get("WORLD_SIZE", "1"))
    # Rows with frames and rows without alternate, so that at a step one rank has none.
    rows = mixed_rows()
    order = [r for pair in zip(rows[:4], [rows[7]] * 4, strict=True) for r in pair]
    # Before the settings: once they name ZeRO-3, a model built from a config has empty weights.
    model, processor = tiny_idefics3(texts(rows))
    args = VideoSFTConfig(
        str(Path(out).with_suffix("")),
        per_device_train_batch_size=2 // world,
        train_sampling_strategy="sequential",
        learning_rate=1e-3,
        lr_scheduler_type="constant",
        max_steps=4,
        logging_steps=1,
        save_strategy="no",
        report_to="none",
        use_cpu=True,
        bf16=False,
        activation_checkpointing=False,
        disable_tqdm=True,
        deepspeed=deepspeed,
    )
    data = Dataset.from_list(order, features=row_features(List(Image())))
    run = VideoSFTTrainer(model, args, train_dataset=data, processing_class=processor)
    run.train()
    if run.accelerator.is_main_process:
        Path(out).write_text(json.dumps([x for x in run.state.log_history if "loss" in x]))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else None)
