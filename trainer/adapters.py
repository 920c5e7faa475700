"""What an adapter trains: LoRA on each part of a model with its own rank, and modules trained whole.

>>> from t2vid.models.tiny import tiny_idefics3
>>> model, _ = tiny_idefics3(["So."])
>>> config = adapter(model, r=16, parts={"language": 16, "connector": 4})
>>> sorted(config.rank_pattern.values())
[4, 16]
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from t2vid.errors import InputError, require
from t2vid.models.families import family_of
from t2vid.models.parts import PARTS, checked_parts, linear_pattern, part_of


@contextmanager
def making_adapters() -> Iterator[None]:
    """Leave out of the block what transformers tells peft, which still asks by an old name."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".is_gradient_checkpointing", FutureWarning)
        yield


def adapter(
    model: Any,
    *,
    r: int = 16,
    alpha: int = 32,
    dropout: float = 0.05,
    targets: str | None = None,
    parts: Mapping[str, Any] | None = None,
    modules_to_save: Sequence[str] | None = None,
    **more: Any,
) -> Any:
    """Give the `LoraConfig` of a model.

    Args:
        model: may lie on the meta device.
        r: rank, where a part does not state its own.
        alpha: scale for this rank; a part of another rank has one in proportion.
        dropout: of the adapter's input.
        targets: regular expression of the layers; without it and `parts`, the projections of the
            language model.
        parts: the parts that get an adapter: `{"language": 32, "connector": {"r": 8, "alpha": 8}}`.
        modules_to_save: parts, or modules by the end of their names, that are trained whole.
        **more: other fields of `LoraConfig`, such as `use_dora`, `use_rslora`, `bias`.

    Raises:
        InputError: for a part that is none, one that is both adapted and trained whole, or a field
            that `LoraConfig` does not have.
    """
    peft = require("peft", extra="train")
    family = family_of(model)
    settings: dict[str, Any] = {"target_modules": targets or family.lora_pattern}
    whole = list(modules_to_save or ())
    if parts is not None:
        if targets is not None:
            raise InputError(
                "lora_parts and lora_target_modules both say what is adapted; give one"
            )
        ranks = {
            part: _rank(parts[part], part, r, alpha)
            for part in checked_parts(parts, name="lora_parts")
        }
        if twice := [part for part in ranks if part in whole]:
            raise InputError(
                f"{twice[0]!r} stands in lora_parts and in lora_modules_to_save; keep one"
            )
        patterns = {part: linear_pattern(model, [part]) for part in ranks}
        if empty := [part for part, pattern in patterns.items() if not pattern]:
            raise InputError(
                f"lora_parts: {empty[0]} of {family.name} has no linear layer; train it whole with "
                f"lora_modules_to_save: [{empty[0]}]"
            )
        settings = {
            "target_modules": "|".join(patterns.values()),
            "rank_pattern": {patterns[part]: rank for part, (rank, _) in ranks.items()},
            "alpha_pattern": {patterns[part]: scale for part, (_, scale) in ranks.items()},
        }
    paths = dict(zip(PARTS, (family.vision, family.connector, family.language), strict=True))
    settings["modules_to_save"] = [
        paths.get(name, name).rsplit(".", 1)[-1] for name in whole
    ] or None
    try:
        return peft.LoraConfig(
            r=r, lora_alpha=alpha, lora_dropout=dropout, task_type="CAUSAL_LM", **settings, **more
        )
    except TypeError as error:
        raise InputError(f"lora_kwargs: {error}") from error


def adapter_size(model: Any, config: Any) -> tuple[int, set[str]]:
    """Count the weights that an adapter trains, and name the parts that they lie in.

    Args:
        model: without the adapter.
        config: its `LoraConfig`.
    """
    import torch

    family, total, parts = family_of(model), 0, set()
    whole = tuple(config.modules_to_save or ())
    for name, module in model.named_modules():
        if isinstance(module, torch.nn.Linear) and re.fullmatch(str(config.target_modules), name):
            rank = next(
                (r for key, r in config.rank_pattern.items() if re.fullmatch(key, name)), config.r
            )
            total += rank * (module.in_features + module.out_features)
            total += module.out_features if config.use_dora else 0
            parts.add(part_of(name, family))
        elif whole and name.endswith(whole):
            total += sum(weight.numel() for weight in module.parameters())
            parts.add(part_of(name, family))
    return total, parts


def _rank(asked: Any, part: str, r: int, alpha: int) -> tuple[int, float]:
    if isinstance(asked, Mapping):
        unknown = set(asked) - {"r", "alpha"}
        rank = asked.get("r", r)
        scale = asked.get("alpha", rank * alpha / r if isinstance(rank, int) else None)
    else:
        unknown, rank = set(), r if asked is None else asked
        scale = rank * alpha / r if isinstance(rank, int) else None
    if unknown or type(rank) is not int or rank < 1 or not isinstance(scale, int | float):
        raise InputError(
            f"lora_parts: {part} ({asked!r}) must be a rank > 0, or {{r: 8, alpha: 16}}"
        )
    return rank, scale
