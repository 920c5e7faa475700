"""Processors of frames that need no torchvision: each family's own, without its video half.

>>> from t2vid.models.tiny_internvl import tiny_internvl
>>> processor = tiny_internvl(["Why? So."])[1]
>>> type(processor).__module__, hasattr(processor, "video_processor")
('t2vid.models.processors', False)
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from t2vid.errors import InputError, MissingExtra, require

require("transformers", extra="train")

import transformers  # noqa: E402
from transformers.processing_utils import ProcessorMixin  # noqa: E402

# The stock classes of these families want a video processor, which exists only with torchvision;
# here every frame is an image. Each class keeps its parent's name, so that what it saves says that
# name and is loaded by it elsewhere. Arguments are spelled out because transformers reads the names
# of the parts, and of the settings in processor_config.json, from this very signature.


class _NoVideo(ProcessorMixin):
    """Stands between a family's processor and its base, and drops the absent video processor."""

    def __init__(self, *parts: Any, **kwargs: Any) -> None:
        image_processor, tokenizer, _video = parts
        super().__init__(image_processor, tokenizer, **kwargs)


class InternVLProcessor(transformers.InternVLProcessor, _NoVideo):
    """`transformers.InternVLProcessor` for images alone."""

    def __init__(
        self,
        image_processor: Any = None,
        tokenizer: Any = None,
        image_seq_length: int = 256,
        chat_template: Any = None,
    ) -> None:
        """Take the parts of the stock class, but for the video processor."""
        super().__init__(
            image_processor, tokenizer, None, image_seq_length, chat_template=chat_template
        )


class Qwen2VLProcessor(transformers.Qwen2VLProcessor, _NoVideo):
    """`transformers.Qwen2VLProcessor` for images alone."""

    def __init__(
        self, image_processor: Any = None, tokenizer: Any = None, chat_template: Any = None
    ) -> None:
        """Take the parts of the stock class, but for the video processor."""
        super().__init__(image_processor, tokenizer, None, chat_template=chat_template)


class Qwen2_5_VLProcessor(transformers.Qwen2_5_VLProcessor, _NoVideo):  # noqa: N801
    """`transformers.Qwen2_5_VLProcessor` for images alone."""

    def __init__(
        self, image_processor: Any = None, tokenizer: Any = None, chat_template: Any = None
    ) -> None:
        """Take the parts of the stock class, but for the video processor."""
        super().__init__(image_processor, tokenizer, None, chat_template=chat_template)


class Qwen3VLProcessor(transformers.Qwen3VLProcessor, _NoVideo):
    """`transformers.Qwen3VLProcessor` for images alone."""

    def __init__(
        self, image_processor: Any = None, tokenizer: Any = None, chat_template: Any = None
    ) -> None:
        """Take the parts of the stock class, but for the video processor."""
        super().__init__(image_processor, tokenizer, None, chat_template=chat_template)


class LlavaOnevisionProcessor(transformers.LlavaOnevisionProcessor, _NoVideo):
    """`transformers.LlavaOnevisionProcessor` for images alone."""

    def __init__(
        self,
        image_processor: Any = None,
        tokenizer: Any = None,
        num_image_tokens: int | None = None,
        vision_feature_select_strategy: str | None = None,
        chat_template: Any = None,
        image_token: str = "<image>",
        video_token: str = "<video>",
        vision_aspect_ratio: str = "anyres_max_9",
    ) -> None:
        """Take the parts of the stock class, but for the video processor."""
        super().__init__(
            image_processor,
            tokenizer,
            None,
            num_image_tokens,
            vision_feature_select_strategy,
            chat_template,
            image_token,
            video_token,
            vision_aspect_ratio,
        )


class SmolVLMProcessor(transformers.Idefics3Processor):
    """`transformers.SmolVLMProcessor` for images alone, which is what Idefics3's does.

    The stock class also wants num2words, to spell out how many frames a video has.
    """


PROCESSORS = {
    cls.__name__: cls
    for cls in (
        InternVLProcessor,
        LlavaOnevisionProcessor,
        Qwen2VLProcessor,
        Qwen2_5_VLProcessor,
        Qwen3VLProcessor,
        SmolVLMProcessor,
    )
}


def load(name: str, **kwargs: Any) -> Any:
    """Load the processor of a checkpoint, with or without torchvision.

    Args:
        name: a folder or a name on the Hub.
        **kwargs: for `from_pretrained`.

    Raises:
        MissingExtra: for a family whose processor cannot work without torchvision.
        InputError: for a checkpoint that has no processor.
    """
    torchvision = transformers.utils.is_torchvision_available()
    wanted = _class_name(name, kwargs)
    if not torchvision and wanted in PROCESSORS:
        return PROCESSORS[wanted].from_pretrained(name, **kwargs)
    try:
        return transformers.AutoProcessor.from_pretrained(name, **kwargs)
    except ImportError as error:
        known = ", ".join(["Idefics3Processor", *PROCESSORS])
        raise MissingExtra(
            f"the processor {wanted or ''} of {name} needs torchvision: install it, or take a model "
            f"whose processor does without: {known}"
        ) from error


def _class_name(name: str, kwargs: dict[str, Any]) -> str | None:
    """Give the class of a checkpoint's processor: what it names itself, or its family's."""
    from transformers.models.auto.processing_auto import PROCESSOR_MAPPING_NAMES
    from transformers.utils import PROCESSOR_NAME

    hub = {k: v for k, v in kwargs.items() if k in ("revision", "token", "cache_dir", "subfolder")}
    for file in (PROCESSOR_NAME, "preprocessor_config.json", "tokenizer_config.json"):
        found = _json(name, file, hub).get("processor_class")
        if found:
            return str(found)
    model_type = _json(name, "config.json", hub).get("model_type")
    if model_type is None:
        raise InputError(f"{name} has neither a processor nor a config.json; is it a checkpoint?")
    known: str | None = PROCESSOR_MAPPING_NAMES.get(model_type)
    return known


def _json(name: str, file: str, hub: dict[str, Any]) -> dict[str, Any]:
    path = transformers.utils.cached_file(
        name,
        file,
        _raise_exceptions_for_missing_entries=False,
        _raise_exceptions_for_gated_repo=False,
        **hub,
    )
    return json.loads(Path(path).read_text(encoding="utf-8")) if path else {}
