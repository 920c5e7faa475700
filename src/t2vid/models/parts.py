"""The three parts of a vision-language model, and which of its weights belong to each.

>>> from t2vid.models.tiny import tiny_idefics3
>>> model, _ = tiny_idefics3(["So."])
>>> part_of("model.connector.modality_projection.proj.weight", family_of(model))
'connector'
>>> linear_pattern(model, ("connector",))
'model\\\\.connector\\\\.modality_projection\\\\.proj'
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from typing import Any

from t2vid.catalog import Family
from t2vid.errors import InputError
from t2vid.models.families import family_of

PARTS = ("vision", "connector", "language")
_NUMBER = re.compile(r"\\\.\d+(?=\\\.)")


def part_of(name: str, family: Family) -> str:
    """Give the part of a weight or a module: the language model has what is in neither other part.

    Args:
        name: as `named_parameters` or `named_modules` gives it, under any wrapper.
        family: of the model.
    """
    # A connector may lie inside the vision tower (Qwen-VL), never the other way round.
    for part, path in (("connector", family.connector), ("vision", family.vision)):
        if f".{path}." in f".{name}.":
            return part
    return "language"


def checked_parts(parts: Iterable[str], *, name: str) -> tuple[str, ...]:
    """Give parts in order, each once.

    Args:
        parts: names of parts.
        name: of the setting, for messages.

    Raises:
        InputError: for what is no part.
    """
    given = [parts] if isinstance(parts, str) else list(parts)
    if unknown := [part for part in given if part not in PARTS]:
        raise InputError(f"{name} ({unknown[0]!r}) must be one of {PARTS}")
    return tuple(part for part in PARTS if part in given)


def linear_pattern(model: Any, parts: Collection[str]) -> str:
    """Give a regular expression of every linear layer of some parts, the output layer left out.

    Args:
        model: with a `config` of a known family.
        parts: of `PARTS`.
    """
    import torch

    family, head = family_of(model), model.get_output_embeddings()
    names = [
        name
        for name, module in model.named_modules()
        if isinstance(module, torch.nn.Linear)
        and module is not head
        and part_of(name, family) in parts
    ]
    # Layers are told apart by their numbers alone; a number at the end may be of another kind.
    return "|".join(dict.fromkeys(_NUMBER.sub(r"\\.\\d+", re.escape(name)) for name in names))


def freeze(model: Any, parts: Collection[str]) -> None:
    """Leave parts of a model as they are.

    Args:
        model: under any wrapper.
        parts: of `PARTS`.

    Raises:
        InputError: where nothing is left to train.
    """
    family = family_of(model)
    for name, weight in model.named_parameters():
        if part_of(name, family) in parts:
            weight.requires_grad_(False)
    if not any(weight.requires_grad for weight in model.parameters()):
        raise InputError(f"freeze ({', '.join(parts)}) leaves nothing to train")
