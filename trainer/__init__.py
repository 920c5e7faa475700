"""Fine-tuning on frame sequences: TRL's `SFTTrainer`, made right and fast for many frames a row.

>>> from t2vid.trainer import VideoSFTConfig
>>> VideoSFTConfig(output_dir="runs/x", use_cpu=True, bf16=False).loss_on
'answer'
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from t2vid.trainer.collator import VideoCollator
    from t2vid.trainer.config import VideoSFTConfig
    from t2vid.trainer.run import train
    from t2vid.trainer.sft_trainer import VideoSFTTrainer

__all__ = ["VideoCollator", "VideoSFTConfig", "VideoSFTTrainer", "train"]

# torch, transformers and trl come in with these modules, so nothing here is imported before it is
# asked for.
_LAZY = {
    "VideoCollator": "t2vid.trainer.collator",
    "VideoSFTConfig": "t2vid.trainer.config",
    "VideoSFTTrainer": "t2vid.trainer.sft_trainer",
    "train": "t2vid.trainer.run",
}


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module 't2vid.trainer' has no attribute {name!r}; it has {__all__}")
    return getattr(importlib.import_module(_LAZY[name]), name)


def __dir__() -> list[str]:
    return __all__
