"""How many operations a training step takes, and which share of a GPU's peak that is (MFU).

>>> work = Work(per_token=6e9, per_square=0.0, per_frame=1e12)
>>> f"{work.of([1000, 500], frames=2):.2e}"
'1.10e+13'

Counted as in PaLM (Chowdhery et al. 2022, arXiv 2204.02311, appendix B): what the model needs, not what
is computed again for activation checkpointing, and no padding. Six operations a weight and token where
the weight is trained; four where a gradient only passes; two where none does (a frozen vision tower).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any, NamedTuple

from t2vid.errors import InputError
from t2vid.mixing.gpu_hours import A800_TFLOPS
from t2vid.models.families import family_of
from t2vid.models.parts import PARTS, part_of

# Dense bfloat16 TFLOP/s, from NVIDIA's data sheets; a name is part of `torch.cuda.get_device_name()`.
# "H100 PCIe" stands before "H100", and so the others.
PEAK_TFLOPS = {
    "H100 PCIe": 756.0,
    "H100": 989.0,
    "H200": 989.0,
    "H800": 989.0,
    "H20": 148.0,
    "B200": 2250.0,
    "A100": 312.0,
    "A800": A800_TFLOPS,
    "L40S": 362.0,
    "A10G": 70.0,
    "RTX 4090": 165.0,
    "RTX 3090": 71.0,
}


class Work(NamedTuple):
    """Operations of training.

    Attributes:
        per_token: of a token of the language model, frames' tokens included.
        per_square: of a row, for each square of its length (causal attention).
        per_frame: of the vision tower, for a frame.
    """

    per_token: float
    per_square: float
    per_frame: float

    def of(self, lengths: Iterable[int], *, frames: int) -> float:
        """Count the operations of rows of some lengths in tokens with so many frames together."""
        lengths = list(lengths)
        squares = sum(n * n for n in lengths)
        return self.per_token * sum(lengths) + self.per_square * squares + self.per_frame * frames


def work_of(
    model: Any, *, whole: Collection[str], adapted: Collection[str] = (), frame_px: int
) -> Work:
    """Count the operations of a model.

    Args:
        model: may lie on the meta device, or be shared out by ZeRO-3.
        whole: parts whose weights are trained.
        adapted: parts with an adapter, whose own weights rest.
        frame_px: side of a frame in pixels.
    """
    family, size = family_of(model), dict.fromkeys(PARTS, 0)
    words = model.get_input_embeddings().weight
    head = model.get_output_embeddings()
    for name, weight in model.named_parameters():
        looked_up = weight is words and (head is None or head.weight is not words)
        if not looked_up and "lora_" not in name and "modules_to_save" not in name:
            size[part_of(name, family)] += getattr(weight, "ds_numel", weight.numel())
    passes, reached = {}, False
    for (
        part
    ) in PARTS:  # in the order of the forward pass: a gradient stops before the first trained
        reached = reached or part in whole or part in adapted
        passes[part] = 6 if part in whole else 4 if reached else 2
    text, vision = model.config.get_text_config(), model.config.vision_config
    patch = vision.patch_size
    patch = int(patch[0] if isinstance(patch, list | tuple) else patch)
    square = passes["language"] * text.num_hidden_layers * text.hidden_size
    return Work(
        per_token=float(
            passes["language"] * size["language"] + passes["connector"] * size["connector"]
        ),
        per_square=float(square),
        per_frame=float(passes["vision"] * size["vision"] * (frame_px // patch) ** 2),
    )


def trained_parts(model: Any) -> tuple[set[str], set[str]]:
    """Give the parts whose weights are trained, and those that only have an adapter."""
    family = family_of(model)
    named = [
        (name, part_of(name, family)) for name, w in model.named_parameters() if w.requires_grad
    ]
    whole = {part for name, part in named if "lora_" not in name}
    return whole, {part for _, part in named} - whole


def peak_flops(tflops: float | None = None) -> float | None:
    """Give the peak of this machine's GPU in operations a second; None where it is not known.

    Args:
        tflops: what the user states, in TFLOP/s.
    """
    if tflops is not None:
        if tflops <= 0:
            raise InputError(f"gpu_tflops ({tflops}) must be > 0")
        return tflops * 1e12
    import torch

    name = torch.cuda.get_device_name() if torch.cuda.is_available() else ""
    return next((peak * 1e12 for known, peak in PEAK_TFLOPS.items() if known in name), None)
