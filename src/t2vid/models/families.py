"""What differs between model families: where their parts are, how they take a frame.

>>> family_of("idefics3").vision
'vision_model'
>>> family_of("qwen2_5_vl").packs
False
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from t2vid.catalog import FAMILIES, PAPER_FAMILIES, Family, known_family
from t2vid.errors import InputError, require
from t2vid.models import MINI
from t2vid.targets import checkpoint_of, loading

MANY_PX = 1280 * 28 * 28  # the upper limit that Qwen2-VL's model card suggests for one image
ANY_SHAPE_PX = 448  # 256 tokens of Qwen2.5-VL, 196 of Qwen3-VL: what the paper's models spend


def family_of(model: Any) -> Family:
    """Find the family of a model.

    Args:
        model: a model, its config, a `model_type` such as `"idefics3"`, or the family's name.

    Raises:
        InputError: for a type that no family lists.
    """
    config = getattr(model, "config", model)
    model_type = config if isinstance(config, str) else getattr(config, "model_type", None)
    family = known_family(model_type or "")
    if family is None:
        known = sorted(name for one in FAMILIES for name in one.model_types)
        raise InputError(f"model type {model_type!r} is no known family; known: {', '.join(known)}")
    return family


def make_tiny(family: Family) -> Callable[..., tuple[Any, Any]]:
    """Give what makes a family's tiny model and its processor of the texts that it is to know.

    Raises:
        InputError: for a family without one.
    """
    if not family.tiny:
        known = [one.tiny_name for one in FAMILIES if one.tiny]
        raise InputError(f"family {family.name!r} has no tiny model; there are {known}")
    module, _, function = family.tiny.partition(":")
    made: Callable[..., tuple[Any, Any]] = getattr(importlib.import_module(module), function)
    return made


def part(model: Any, path: str) -> Any:
    """Fetch a part of a model by a path of `Family`, under any wrapper (PEFT, DDP, a head)."""
    for name, module in model.named_modules():
        if name == path or name.endswith(f".{path}"):
            return module
    raise InputError(f"{type(model).__name__} has no part {path!r}")


def frame_px(processor: Any) -> tuple[int, int]:
    """Give the `(width, height)` in pixels at which a model sees each frame.

    A model that keeps each frame's own shape has a limit of pixels instead; for it, this is the
    largest square within that limit, and no frame takes more tokens than such a square.
    """
    images = processor.image_processor
    if hasattr(images, "merge_size"):
        unit = images.patch_size * images.merge_size
        side = max(1, int(_get(images.size, "longest_edge") ** 0.5) // unit) * unit
        return side, side
    edge = _get(getattr(images, "max_image_size", None), "longest_edge")
    if edge:
        return int(edge), int(edge)
    height, width = _get(images.size, "height"), _get(images.size, "width")
    if not height or not width:
        raise InputError(f"{type(images).__name__} has no fixed frame size (size={images.size})")
    return int(width), int(height)


def keeps_shape(processor: Any) -> bool:
    """Say whether a model sees frames in their own shapes, and not all in one size."""
    images = processor.image_processor
    return hasattr(images, "fit") or hasattr(images, "merge_size")


def seen_px(processor: Any, size: tuple[int, int]) -> tuple[int, int]:
    """Give the `(width, height)` in pixels at which a model sees a frame of `size`.

    Args:
        processor: the model's processor, set to one patch a frame.
        size: `(width, height)` of the frame in pixels.
    """
    fit = getattr(processor.image_processor, "fit", None)
    return frame_px(processor) if fit is None else fit(*size)


def decode_px(processor: Any) -> tuple[int, int] | str | None:
    """Give what `SampleSpec.size` must be for a video to be decoded at the size a model sees.

    Returns:
        `(width, height)` in pixels, the name of a rule, or None where no rule gives that size.
    """
    if not hasattr(processor.image_processor, "fit"):
        return frame_px(processor)
    edge = frame_px(processor)[0]
    rules = (f.name for f in PAPER_FAMILIES if f.pixels == "strips" and f.frame_px == edge)
    return next(rules, None)


def one_patch(processor: Any, *, upscale_first: bool = False) -> Any:
    """Set a processor so that every frame is one image: no splitting, no tiles, no enlarging.

    Of a model that takes any number of pixels (Qwen-VL) a frame gets 448x448 of them at most,
    unless its processor was set to fewer than a million already.

    Args:
        processor: changed in place.
        upscale_first: keep Idefics3's detour (enlarge to 1456 pixels, then shrink to 364), which
            the paper's code took; it costs about four times the CPU and blurs the frame a little.

    Returns:
        The same processor.
    """
    images = processor.image_processor
    if hasattr(images, "do_image_splitting"):
        images.do_image_splitting = False
        # Published with an edge of four patches, which are cut out of it, or here shrunk to one.
        edge = frame_px(processor)[0] * (4 if upscale_first else 1)
        images.size = type(images.size)(longest_edge=edge)
    if hasattr(images, "max_slice_nums"):
        images.max_slice_nums = 1
    if hasattr(images, "crop_to_patches"):
        images.crop_to_patches = False
        # The class attribute of InternVLProcessor would win over the image processor: 24
        # frames, 72 tiles.
        processor.images_kwargs = {**(processor.images_kwargs or {}), "crop_to_patches": False}
    if hasattr(images, "merge_size") and _get(images.size, "longest_edge") >= MANY_PX:
        least = min(_get(images.size, "shortest_edge"), ANY_SHAPE_PX**2)
        images.size = type(images.size)(shortest_edge=least, longest_edge=ANY_SHAPE_PX**2)
    return processor


def register_ports() -> None:
    """Make transformers' Auto classes know the models that this project brings itself."""
    require("t2vid.models.minicpm_v", extra="train")


def match_tokens(model: Any, processor: Any) -> None:
    """Give a model the token that its processor writes for a frame, where its config has another.

    A published config of MiniCPM-V names none.

    Args:
        model: its config is changed.
        processor: the model's.
    """
    config = model.config
    if family_of(config).ported:
        config.image_token_id = processor.image_token_id


def load_model(name: str, **kwargs: Any) -> Any:
    """Load a checkpoint by its family's class.

    Args:
        name: a folder, a name on the Hub, or `mini`, the one that t2vid brings.
        **kwargs: for `AutoModelForImageTextToText.from_pretrained`.

    Raises:
        MissingFile: for a path where no checkpoint is.
    """
    source, files = checkpoint_of(checkpoint(name), "model")
    transformers = require("transformers", extra="train")
    register_ports()
    with loading(name, "model"):
        return transformers.AutoModelForImageTextToText.from_pretrained(source, **files, **kwargs)


def load_processor(name: str, **kwargs: Any) -> Any:
    """Load the processor of a checkpoint and set it to one patch a frame.

    Args:
        name: a folder, a name on the Hub, or `mini`, the one that t2vid brings.
        **kwargs: for `AutoProcessor.from_pretrained`.
    """
    from t2vid.models import processors

    register_ports()
    with loading(name, "processor"):
        return one_patch(processors.load(checkpoint(name), **kwargs))


def checkpoint(name: str) -> str:
    """Give the folder of the model that t2vid brings for `mini`, unless a folder has that name."""
    return str(MINI) if str(name) == "mini" and not Path(name).is_dir() else name


def _get(value: Any, key: str) -> Any:
    if value is None:
        return None
    return value.get(key) if isinstance(value, dict) else getattr(value, key, None)
