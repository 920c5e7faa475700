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
from transformers.utils import PROCESSOR_NAME  # noqa: E402

VIDEO_SETTINGS = "video_preprocessor_config.json"

# The stock classes of these families want a video processor, which exists only with torchvision;
# here every frame is an image. Each class keeps its parent's name, so that what it saves says that
# name and is loaded by it elsewhere. Arguments are spelled out because transformers reads the names
# of the parts, and of the settings in processor_config.json, from this very signature.


class _NoVideo(ProcessorMixin):
    """Stands between a family's processor and its base, and drops the absent video processor."""

    video_settings: dict[str, Any] | None = None
    video_class: str

    def __init__(self, *parts: Any, **kwargs: Any) -> None:
        super().__init__(*parts[:2], **kwargs)

    def save_pretrained(self, save_directory: Any, **kwargs: Any) -> Any:
        """Save, with settings of the video half for those who have torchvision: it insists."""
        saved = super().save_pretrained(save_directory, **kwargs)
        settings = self.video_settings or {"video_processor_type": self.video_class}
        path = Path(save_directory) / VIDEO_SETTINGS
        path.write_text(json.dumps(settings, indent=2) + "\n", encoding="utf-8")
        return saved


class InternVLProcessor(transformers.InternVLProcessor, _NoVideo):
    """`transformers.InternVLProcessor` for images alone."""

    video_class = "InternVLVideoProcessor"

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

    video_class = "Qwen2VLVideoProcessor"

    def __init__(
        self, image_processor: Any = None, tokenizer: Any = None, chat_template: Any = None
    ) -> None:
        """Take the parts of the stock class, but for the video processor."""
        super().__init__(image_processor, tokenizer, None, chat_template=chat_template)


class Qwen2_5_VLProcessor(transformers.Qwen2_5_VLProcessor, _NoVideo):  # noqa: N801
    """`transformers.Qwen2_5_VLProcessor` for images alone."""

    video_class = "Qwen2VLVideoProcessor"

    def __init__(
        self, image_processor: Any = None, tokenizer: Any = None, chat_template: Any = None
    ) -> None:
        """Take the parts of the stock class, but for the video processor."""
        super().__init__(image_processor, tokenizer, None, chat_template=chat_template)


class Qwen3VLProcessor(transformers.Qwen3VLProcessor, _NoVideo):
    """`transformers.Qwen3VLProcessor` for images alone."""

    video_class = "Qwen3VLVideoProcessor"

    def __init__(
        self, image_processor: Any = None, tokenizer: Any = None, chat_template: Any = None
    ) -> None:
        """Take the parts of the stock class, but for the video processor."""
        super().__init__(image_processor, tokenizer, None, chat_template=chat_template)


class LlavaOnevisionProcessor(transformers.LlavaOnevisionProcessor, _NoVideo):
    """`transformers.LlavaOnevisionProcessor` for images alone."""

    video_class = "LlavaOnevisionVideoProcessor"

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


class SmolVLMProcessor(transformers.Idefics3Processor, _NoVideo):
    """`transformers.SmolVLMProcessor` for images alone, which is what Idefics3's does.

    The stock class also wants num2words, to spell out how many frames a video has.
    """

    video_class = "SmolVLMVideoProcessor"


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
    """Load the processor of a checkpoint, the same one with and without torchvision.

    Args:
        name: a folder or a name on the Hub.
        **kwargs: for `from_pretrained`.

    Raises:
        MissingExtra: for a family whose processor cannot work without torchvision.
        InputError: for a checkpoint that has no processor.
    """
    hub = {k: v for k, v in kwargs.items() if k in ("revision", "token", "cache_dir", "subfolder")}
    wanted = _class_name(name, hub)
    if wanted in PROCESSORS:
        processor = PROCESSORS[wanted].from_pretrained(name, **kwargs)
        nested = _json(name, PROCESSOR_NAME, hub).get("video_processor")
        processor.video_settings = nested or _json(name, VIDEO_SETTINGS, hub) or None
        return processor
    try:
        return transformers.AutoProcessor.from_pretrained(name, **kwargs)
    except ImportError as error:
        known = ", ".join(["Idefics3Processor", *PROCESSORS])
        raise MissingExtra(
            f"the processor {wanted or ''} of {name} needs torchvision: install it, or take a model "
            f"whose processor does without: {known}"
        ) from error


def _class_name(name: str, hub: dict[str, Any]) -> str | None:
    """Give the class of a checkpoint's processor: what it names itself, or its family's."""
    from transformers.models.auto.processing_auto import PROCESSOR_MAPPING_NAMES

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
