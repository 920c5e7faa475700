"""What a run is put together from: its settings, its family, its collator, and models as they arrive.

>>> from t2vid.trainer.config import VideoSFTConfig
>>> config_of(VideoSFTConfig("runs/x", use_cpu=True, bf16=False), "model").output_dir
'runs/x'
"""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, cast

from t2vid.catalog import Family
from t2vid.errors import InputError, kind_of, require
from t2vid.frames.feature import Frames
from t2vid.models.families import family_of, load_processor, one_patch, register_ports
from t2vid.models.parts import part_of
from t2vid.models.rows import LossOn
from t2vid.trainer.collator import VideoCollator
from t2vid.trainer.config import VideoSFTConfig

logger = logging.getLogger(__name__)


def processor_of(given: Any, model: Any, args: VideoSFTConfig) -> Any:
    """Give the processor of a run, set to one patch a frame.

    Args:
        given: what the user passed; None loads the model's.
        model: the model or its name.
        args: settings of the run; a template in a file is read.

    Raises:
        InputError: for a tokenizer, or another that takes no frames.
    """
    if given is None:
        name = model if isinstance(model, str) else model.config._name_or_path
        given = load_processor(name, trust_remote_code=args.trust_remote_code)
    if not hasattr(given, "image_processor"):
        raise InputError(
            f"processing_class is {kind_of(given)}, which takes no frames; pass the model's "
            "processor (AutoProcessor), or leave it out"
        )
    one_patch(given)
    path = str(args.chat_template_path or "")
    if path.endswith((".jinja", ".j2")):  # TRL reads it too, but after the collator was built
        given.chat_template = Path(path).read_text(encoding="utf-8")
    return given


def build_collator(
    processor: Any, args: VideoSFTConfig, family: Family, *, reader: Any = None
) -> VideoCollator:
    """Build the collator that a run with `args` uses, e.g. to look at its batches.

    Args:
        processor: the model's processor, set to one patch a frame.
        args: settings of the run.
        family: the model's family.
        reader: the `Frames` feature of the dataset's column, or None.
    """
    if args.frame_cache is not None:
        reader = dataclasses.replace(
            reader or Frames(), cache=args.frame_cache, cache_gb=args.frame_cache_gb
        )
    pixels = args.pixels
    if args.compat and family.pixels == "nested":
        one_patch(processor, upscale_first=True)
        pixels = "processor"
    return VideoCollator(
        processor,
        family,
        loss_on=cast(LossOn, args.loss_on),
        max_length=args.max_length,
        max_frames=args.frame_budget,
        pixels=cast(Literal["direct", "processor"], pixels),
        reader=reader,
        pad_to_multiple_of=args.pad_to_multiple_of,
        uint8=True,
        pack=args.pack,
        layout=args.layout,
        folder=args.media_dir,
        compat=args.compat or "",
        prompt_in_loss=args.completion_only_loss is False,
        on_long=cast(Literal["error", "skip", "fewer_frames"], args.on_long),
        on_bad=cast(Literal["error", "skip"], args.on_bad),
    )


def config_of(args: Any, model: Any) -> VideoSFTConfig:
    """Give the settings of a run: ours, or another trainer's taken over field by field.

    Args:
        args: a `VideoSFTConfig`, an `SFTConfig`, `TrainingArguments`, or None.
        model: the model or its name, after which a run without settings is called.
    """
    if isinstance(args, VideoSFTConfig):
        return args
    if args is None:
        name = (
            model if isinstance(model, str) else model.config._name_or_path or type(model).__name__
        )
        return VideoSFTConfig(f"{name.split('/')[-1]}-SFT")
    fields = args.to_dict()
    fields |= {
        name: getattr(args, name) for name in fields if name.endswith("_token")
    }  # it hides these
    if not hasattr(args, "loss_on"):
        fields["max_length"] = None  # SFTConfig's 1024 is a default for text, not the user's choice
    return VideoSFTConfig(**fields)


def named_family(model: Any, *, trust_remote_code: bool) -> Family:
    """Find the family of a model, or of a checkpoint by its name."""
    if isinstance(model, str):
        from transformers import AutoConfig

        register_ports()
        return family_of(AutoConfig.from_pretrained(model, trust_remote_code=trust_remote_code))
    return family_of(model)


def keep_used_names(model: Any) -> None:
    """Let a model be saved under the names that its checkpoint has."""
    # transformers saves under the names it read: every renaming of `_weight_conversions` backwards.
    # Read under ZeRO-3 (5.23, integrations/deepspeed.py) that list also holds the renamings of older
    # checkpoints that met no weight, and `language_model.model.` is saved as
    # `language_model.model.model.`; read in the plain way it holds the used ones alone.
    for module in model.modules():
        if names := getattr(module, "_weight_conversions", None):
            module._weight_conversions = [n for n in names if n.was_used()]


def gather_head(model: Any) -> None:
    """Let FSDP2 gather the output head of a model for TRL's fused loss, and share out its gradient.

    accelerate makes the head of an image-LLM a unit of its own, which FSDP2 gathers when it is
    called. TRL's loss multiplies by its weight without a call, gathers it by itself, and each
    process then keeps the gradient of its own rows alone (trl 1.16, accelerate 1.15).
    """
    from torch.distributed.fsdp import FSDPModule

    head = model.get_output_embeddings()

    def gather(*_: Any) -> None:
        if isinstance(head, FSDPModule):
            head.unshard()

    model.get_decoder().register_forward_hook(gather)


def warn_of_rounding(model: Any, args: VideoSFTConfig) -> None:
    """Warn of trained weights that are too coarse for a step."""
    torch = require("torch", extra="train")
    # DeepSpeed and FSDP2 keep a float32 copy for the optimizer; alone, bfloat16's 8 bits do not hold
    # a weight and a step of a thousandth of it.
    half = {p.dtype for p in model.parameters() if p.requires_grad} & {torch.bfloat16, torch.half}
    if half:
        logger.warning(
            "trained weights are %s without a float32 copy, so most steps of learning_rate=%g round "
            "away; use dtype=float32, deepspeed=zero2 or use_peft=true",
            str(half.pop()).removeprefix("torch."),
            args.learning_rate,
        )


def split_by_part(optimizer: Any, model: Any, family: Family, rates: Mapping[str, float]) -> None:
    """Give parts of a model learning rates of their own, before a schedule is made for them.

    Args:
        optimizer: without state; its groups are split.
        model: that it trains, under any wrapper.
        family: of the model.
        rates: by part.
    """
    part = {id(weight): part_of(name, family) for name, weight in model.named_parameters()}
    groups = []
    for group in optimizer.param_groups:
        own = dict.fromkeys(part[id(weight)] for weight in group["params"])
        for name in own:
            weights = [weight for weight in group["params"] if part[id(weight)] == name]
            lr = {"lr": float(rates[name])} if name in rates else {}
            groups.append({**group, "params": weights, "part": name, **lr})
    optimizer.param_groups[:] = groups


def refuse_other_optimizer(args: VideoSFTConfig, deepspeed: Mapping[str, Any] | None) -> None:
    """Refuse learning rates of parts where DeepSpeed makes the optimizer, which knows no parts.

    Args:
        args: settings of the run.
        deepspeed: DeepSpeed's configuration, or None.

    Raises:
        InputError: where the configuration has an `optimizer`.
    """
    if args.learning_rates and "optimizer" in (deepspeed or {}):
        raise InputError(
            "learning_rates: the DeepSpeed configuration brings an optimizer of its own, with one rate "
            "for all; take its 'optimizer' out, as in deepspeed=zero3"
        )


def rates_by_part(optimizer: Any, args: VideoSFTConfig, now: float) -> dict[str, float]:
    """Give what a log line says of learning rates: that of the run, and those of its parts.

    Args:
        optimizer: as `split_by_part` left it.
        args: settings of the run.
        now: the rate of the first group, as the Trainer logs it.
    """
    groups = optimizer.param_groups
    share = now / groups[0]["initial_lr"]  # of the schedule, the same for all groups
    parts = {f"learning_rate/{g['part']}": share * g["initial_lr"] for g in groups}
    return {"learning_rate": share * args.learning_rate, **parts}


def last_whole_checkpoint(folder: str | Path) -> str | None:
    """Find the checkpoint to go on from; one that a kill left unfinished is passed over.

    Args:
        folder: `output_dir` of the run; need not be there.
    """
    # The Trainer writes this file last.
    states = Path(folder).glob("checkpoint-*/trainer_state.json")
    whole = {
        int(n): s.parent for s in states if (n := s.parent.name.rpartition("-")[2]).isdecimal()
    }
    return str(whole[max(whole)]) if whole else None
