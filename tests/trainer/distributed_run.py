"""One training run on this process's share, started by torchrun; says per step what it saw.

torchrun --nproc_per_node 2 distributed_run.py '{"out": "FOLDER", "stop_at": 5, …}'
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from datasets import Dataset, Image, List

from t2vid.models.tiny import tiny_idefics3
from t2vid.schema import row_features
from training_rows import mixed_rows, texts


def _fsdp_on_cpu() -> None:
    """Let accelerate take FSDP on CPU processes, which it offers on accelerators alone.

    torch's `fully_shard` runs on CPUs with gloo; only accelerate's choice of a strategy asks for
    several GPUs.
    """
    from accelerate.state import AcceleratorState, PartialState
    from accelerate.utils import DistributedType

    begin = AcceleratorState.__init__

    def begin_with_fsdp(self: AcceleratorState, *args: Any, **kw: Any) -> None:
        PartialState(cpu=True)
        if not AcceleratorState._shared_state:  # its first: the others take over what it chose
            PartialState._shared_state["distributed_type"] = DistributedType.MULTI_GPU
        begin(self, *args, **kw)

    AcceleratorState.__init__ = begin_with_fsdp


def main(
    out: str,
    *,
    deepspeed: str | None = None,
    resume: bool = False,
    stop_at: int = 0,
    questions: list[dict[str, Any]] | None = None,
    settings: dict[str, Any],
) -> None:
    if deepspeed:
        from t2vid.trainer.run import _deepspeed_on_cpu

        _deepspeed_on_cpu()
    if os.environ.get("ACCELERATE_USE_FSDP"):
        _fsdp_on_cpu()
    from t2vid.trainer import VideoSFTConfig, VideoSFTTrainer

    world, rank = (int(os.environ.get(name, n)) for name, n in (("WORLD_SIZE", 1), ("RANK", 0)))
    folder = Path(out)
    folder.mkdir(parents=True, exist_ok=True)

    class Seen(VideoSFTTrainer):
        def training_step(self, model: Any, inputs: dict[str, Any], *args: Any, **kw: Any) -> Any:
            step = self.state.global_step + 1
            if step == stop_at:
                (folder / f"stopped-{rank}").touch()
                time.sleep(600)  # whoever started this kills it here
            ids = [segment.id for segment in inputs["segments"]]
            with open(folder / f"seen-{rank}.jsonl", "a") as file:
                file.write(json.dumps([step, ids]) + "\n")
            return super().training_step(model, inputs, *args, **kw)

    # Rows with frames and rows without alternate, so that at a step one rank has none.
    rows = mixed_rows()
    order = [r for pair in zip(rows[:4], [rows[7]] * 4, strict=True) for r in pair]
    order = [dict(r, id=f"{i}:{r['id']}") for i, r in enumerate(order)]
    # Before the settings: once they name ZeRO-3, a model built from a config has empty weights.
    model, processor = tiny_idefics3(texts(rows))
    defaults = {
        "per_device_train_batch_size": 2 // world,
        "learning_rate": 1e-3,
        "lr_scheduler_type": "constant",
        "logging_steps": 1,
        "save_strategy": "no",
        "report_to": "none",
        "use_cpu": True,
        "bf16": False,
        "activation_checkpointing": False,
        "disable_tqdm": True,
        "deepspeed": deepspeed,
    }
    args = VideoSFTConfig(out, **(defaults | settings))
    data = Dataset.from_list(order, features=row_features(List(Image())))
    asked = {"toy": questions, "batch_size": 2, "protocol": {"frames": 2, "max_new_tokens": 4}}
    run = Seen(
        model,
        args,
        train_dataset=data,
        processing_class=processor,
        eval_mcq=asked if questions else None,
    )
    run.train(resume_from_checkpoint=resume or None)
    if run.accelerator.is_main_process:
        lines = [x for x in run.state.log_history if "loss" in x or "eval_toy_accuracy" in x]
        (folder / "log.json").write_text(json.dumps(lines))


if __name__ == "__main__":
    main(**json.loads(sys.argv[1]))
