"""Model families, rows turned into tensors, and tiny models to try everything with."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from t2vid.errors import require

MINI = Path(__file__).parent / "checkpoints" / "mini"


def mini() -> tuple[Any, Any]:
    """Give the mini image-LLM that the package brings: it sees, reads and answers in its small world.

    A native Idefics3 of one million parameters, trained from nothing on single pictures, single
    drawn pages and stories in words (`t2vid.miniature.pretrain`); its model card stands beside it.

    Returns:
        `(model, processor)`, in 32-bit numbers and evaluation mode.

    >>> model, processor = mini()
    >>> type(model).__name__
    'Idefics3ForConditionalGeneration'
    """
    return load_mini()


def load_mini(folder: str | os.PathLike[str] | None = None) -> tuple[Any, Any]:
    """Load the mini image-LLM, or another base of its kind.

    Args:
        folder: of a checkpoint; None is the package's.
    """
    transformers = require("transformers", extra="train")
    torch = require("torch", extra="train")
    where = str(folder or MINI)
    model = transformers.Idefics3ForConditionalGeneration.from_pretrained(where)
    return model.to(torch.float32).eval(), transformers.Idefics3Processor.from_pretrained(where)
