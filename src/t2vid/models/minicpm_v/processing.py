"""What MiniCPM-Llama3-V-2.5 takes: patches of an image in one row, and `<image>…</image>` in a text.

>>> fit_size(1280, 720), fit_size(300, 100), slice_grid(1280, 720, limit=9)
((602, 336), (770, 252), (3, 2))
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, log, sqrt
from typing import Any

import numpy as np

from t2vid.errors import InputError, require

require("transformers", extra="train")

from transformers import BatchFeature, PreTrainedTokenizerFast, ProcessorMixin  # noqa: E402
from transformers.image_processing_utils import BaseImageProcessor  # noqa: E402
from transformers.image_utils import load_images, make_flat_list_of_images  # noqa: E402

from t2vid.models.strips import strip  # noqa: E402

EDGE_PX = 448  # an image, or a slice of one, has about the area of this square
PATCH_PX = 14
MAX_SLICES = 9
BICUBIC = 3  # PIL.Image.Resampling.BICUBIC
PLACEHOLDER = "(<image>./</image>)"  # what prompts of the published code write for an image
END = "<|eot_id|>"

# The published chat: Llama 3's turns, trimmed, with each image on a line of its own.
TEMPLATE = (
    "{{ bos_token }}{% for message in messages %}"
    "<|start_header_id|>{{ message['role'] }}<|end_header_id|>\n\n"
    "{% if message['content'] is string %}{% set text = message['content'] %}"
    "{% else %}{% set parts = namespace(lines=[]) %}"
    "{% for part in message['content'] %}"
    "{% if part['type'] == 'image' %}{% set parts.lines = parts.lines + ['<unk>'] %}"
    "{% else %}{% set parts.lines = parts.lines + [part['text']] %}{% endif %}"
    "{% endfor %}{% set text = parts.lines | join('\n') %}{% endif %}"
    "{% if message['role'] == 'assistant' %}"
    "{% generation %}{{ text | trim }}<|eot_id|>{% endgeneration %}"
    "{% else %}{{ text | trim }}<|eot_id|>{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}<|start_header_id|>assistant<|end_header_id|>\n\n{% endif %}"
)


def fit_size(
    width: float,
    height: float,
    *,
    edge: int = EDGE_PX,
    patch: int = PATCH_PX,
    enlarge: bool = True,
) -> tuple[int, int]:
    """Give the size at which an image is shown: its shape, the area of a square, whole patches.

    Args:
        width: of the image in pixels.
        height: of the image in pixels.
        edge: of the square in pixels.
        patch: of the vision tower in pixels.
        enlarge: also where the image is smaller than the square.
    """
    if enlarge or width * height > edge * edge:
        shape = width / height
        height = int(edge / sqrt(shape))
        width = int(height * shape)
    return _whole(width, patch), _whole(height, patch)


def slice_grid(
    width: int, height: int, *, limit: int, edge: int = EDGE_PX
) -> tuple[int, int] | None:
    """Give the columns and rows in which an image is sliced, or None where it is not.

    Args:
        width: of the image in pixels.
        height: of the image in pixels.
        limit: most slices; 1 never slices.
        edge: a slice has about the area of this square, in pixels.
    """
    wanted = min(ceil(width * height / edge**2), limit)
    if wanted <= 1:
        return None
    counts = [n for n in (wanted - 1, wanted, wanted + 1) if 1 < n <= limit]
    grids = [(columns, n // columns) for n in counts for columns in _divisors(n)]
    shape = log(width / height)
    return min(grids, key=lambda grid: abs(shape - log(grid[0] / grid[1])))


class MiniCPMVImageProcessor(BaseImageProcessor):
    """Cuts, resizes and normalises images, and lays their patches in a row.

    Args:
        max_slice_nums: most slices of a large image beside the whole of it; 1 never slices.
        scale_resolution: edge of the square whose area an image or a slice is given, in pixels.
        patch_size: of the vision tower in pixels.
        image_feature_size: tokens that an image or a slice becomes.
        norm_mean: of the channels, of values between 0 and 1.
        norm_std: likewise.
        **kwargs: other published keys, kept as they are.
    """

    model_input_names = ["pixel_values", "target_sizes"]

    def __init__(
        self,
        max_slice_nums: int = MAX_SLICES,
        scale_resolution: int = EDGE_PX,
        patch_size: int = PATCH_PX,
        image_feature_size: int = 96,
        norm_mean: Sequence[float] = (0.5, 0.5, 0.5),
        norm_std: Sequence[float] = (0.5, 0.5, 0.5),
        **kwargs: Any,
    ) -> None:
        for name in ("auto_map", "image_processor_type", "size", "image_mean", "image_std"):
            kwargs.pop(name, None)  # said by the arguments above, or no more needed
        super().__init__(**kwargs)
        self.max_slice_nums = max_slice_nums
        self.scale_resolution = scale_resolution
        self.patch_size = patch_size
        self.image_feature_size = image_feature_size
        self.norm_mean, self.norm_std = list(norm_mean), list(norm_std)
        # what the rest of the project reads of an image processor
        self.size = {"height": scale_resolution, "width": scale_resolution}
        self.image_mean, self.image_std = self.norm_mean, self.norm_std
        self.rescale_factor = 1 / 255
        self.resample = BICUBIC

    def fit(self, width: float, height: float) -> tuple[int, int]:
        """Give the size at which the model sees an image of this size, unsliced."""
        return fit_size(width, height, edge=self.scale_resolution, patch=self.patch_size)

    def preprocess(
        self,
        images: Any,
        *,
        max_slice_nums: int | None = None,
        return_tensors: str | None = None,
        **kwargs: Any,
    ) -> BatchFeature:
        """Turn images into what the model takes.

        Args:
            images: one PIL image, a list of them, or a list of lists.
            max_slice_nums: in place of the processor's own.
            return_tensors: `"pt"` or `"np"`.
            **kwargs: ignored.

        Returns:
            `pixel_values`: float32 `(pieces, 3, patch, patch * longest)`; `target_sizes`: int64
            `(pieces, 2)`; `columns` and `rows` of each image's slices, 0 where it has none. The
            pieces of an image are the whole of it, then its slices, row by row.
        """
        limit = max_slice_nums or self.max_slice_nums
        pieces, grids = [], []
        for image in make_flat_list_of_images(load_images(images)):
            grid = slice_grid(*image.size, limit=limit, edge=self.scale_resolution)
            pieces += self._pieces(image.convert("RGB"), grid)
            grids.append(grid or (0, 0))
        strips = [strip(piece, self.patch_size) for piece in pieces]
        longest = max(piece.shape[1] for piece in strips)
        values = np.zeros((len(pieces), 3, self.patch_size, longest), dtype=np.float32)
        for value, piece in zip(values, strips, strict=True):
            value[..., : piece.shape[1]] = self._normalised(piece).transpose(2, 0, 1)
        sizes = np.array([piece.shape[:2] for piece in pieces], dtype=np.int64) // self.patch_size
        columns, rows = zip(*grids, strict=True)
        data = {"pixel_values": values, "target_sizes": sizes, "columns": columns, "rows": rows}
        return BatchFeature(data, tensor_type=return_tensors)

    def _pieces(self, image: Any, grid: tuple[int, int] | None) -> list[np.ndarray[Any, Any]]:
        whole = fit_size(
            *image.size, edge=self.scale_resolution, patch=self.patch_size, enlarge=grid is None
        )
        pieces = [np.asarray(_resized(image, whole))]
        if grid is not None:
            columns, rows = grid
            width, height = self.fit(
                _whole(image.width, columns) / columns, _whole(image.height, rows) / rows
            )
            large = np.asarray(_resized(image, (width * columns, height * rows)))
            for top in range(0, height * rows, height):
                for left in range(0, width * columns, width):
                    pieces.append(large[top : top + height, left : left + width])
        return pieces

    def _normalised(self, piece: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        mean, std = (np.array(v, dtype=np.float32) for v in (self.norm_mean, self.norm_std))
        return (piece * np.float32(self.rescale_factor) - mean) / std

    def to_dict(self) -> dict[str, Any]:
        """Give what is written to a file: the published keys."""
        said: dict[str, Any] = super().to_dict()
        for name in ("size", "image_mean", "image_std", "rescale_factor", "resample"):
            said.pop(name, None)
        return said


class MiniCPMVProcessor(ProcessorMixin):
    """Images and texts for `MiniCPMVForConditionalGeneration`.

    A text holds `<unk>` or `(<image>./</image>)` where an image stands; each becomes
    `<image>`, so many `<unk>` as the image has tokens, `</image>`, and its slices after it.

    Args:
        image_processor: a `MiniCPMVImageProcessor`.
        tokenizer: a fast one, with `<image>`, `</image>`, `<slice>`, `</slice>` and `<unk>`.
        chat_template: replaces the published chat with marked answers.
    """

    def __init__(
        self, image_processor: Any = None, tokenizer: Any = None, chat_template: str | None = None
    ) -> None:
        missing = {"<unk>", "<image>", "</image>", "<slice>", "</slice>"} - set(
            tokenizer.get_vocab()
        )
        if missing:
            raise InputError(f"the tokenizer has no {', '.join(sorted(missing))}")
        if tokenizer.pad_token is None or tokenizer.pad_token == "!":
            # An exclamation mark pads the published batches, and would be skipped in answers.
            tokenizer.pad_token = tokenizer.eos_token
        if END in tokenizer.get_vocab():
            tokenizer.eos_token = END  # ends each turn of the chat; the published one ends none
        self.image_token = "<unk>"
        self.image_token_id = tokenizer.convert_tokens_to_ids(self.image_token)
        super().__init__(image_processor, tokenizer, chat_template=chat_template or TEMPLATE)

    def __call__(
        self,
        images: Any = None,
        text: str | Sequence[str] | None = None,
        *,
        max_slice_nums: int | None = None,
        return_tensors: str | None = None,
        **kwargs: Any,
    ) -> BatchFeature:
        """Turn texts and their images into what the model takes.

        Args:
            images: one PIL image, a list of them, or a list for each text.
            text: one or several, with a place for each image.
            max_slice_nums: in place of the image processor's own; 1 never slices.
            return_tensors: `"pt"` or `"np"`.
            **kwargs: for the tokenizer; `images_kwargs` and `text_kwargs` are spread out.

        Raises:
            InputError: when there are more or fewer places than images.
        """
        for group in ("images_kwargs", "text_kwargs", "common_kwargs"):
            kwargs |= kwargs.pop(group, None) or {}
        max_slice_nums = kwargs.pop("max_slice_nums", max_slice_nums)
        return_tensors = kwargs.pop("return_tensors", return_tensors)
        for other in ("videos", "audio"):
            if kwargs.pop(other, None) is not None:
                raise InputError(f"{other}: MiniCPM-Llama3-V-2.5 takes images; give frames")
        data: dict[str, Any] = {}
        names: list[str] = []
        if images is not None:
            seen = self.image_processor(images, max_slice_nums=max_slice_nums)
            columns, rows = seen.pop("columns"), seen.pop("rows")
            names = [self._place(*grid) for grid in zip(columns, rows, strict=True)]
            data |= seen
        if text is not None:
            texts = self._with_places([text] if isinstance(text, str) else list(text), names)
            data = {**self.tokenizer(texts, **kwargs), **data}
        return BatchFeature(data, tensor_type=return_tensors)

    def _place(self, columns: int, rows: int) -> str:
        one = f"<image>{self.image_token * self.image_processor.image_feature_size}</image>"
        if not columns:
            return one
        return f"{one}<slice>{chr(10).join([one * columns] * rows)}</slice>"

    def _with_places(self, texts: list[str], names: list[str]) -> list[str]:
        parts = [
            text.replace(PLACEHOLDER, self.image_token).split(self.image_token) for text in texts
        ]
        places = sum(len(part) - 1 for part in parts)
        if places != len(names):
            raise InputError(f"{len(names)} images but {places} {self.image_token} in the text")
        left = iter(names)
        return ["".join([part[0], *(next(left) + piece for piece in part[1:])]) for part in parts]

    @property
    def model_input_names(self) -> list[str]:
        """Names of what `__call__` gives."""
        return ["input_ids", "attention_mask", *self.image_processor.model_input_names]

    @classmethod
    def _load_tokenizer_from_pretrained(
        cls, sub_processor_type: str, name: Any, subfolder: str = "", **kwargs: Any
    ) -> Any:
        # The published folder names a class of its own code, which only adds attributes.
        kwargs.pop("trust_remote_code", None)
        return PreTrainedTokenizerFast.from_pretrained(name, subfolder=subfolder, **kwargs)


def _whole(length: float, unit: int) -> int:
    return max(round(length / unit), 1) * unit


def _divisors(n: int) -> list[int]:
    return [d for d in range(1, n + 1) if n % d == 0]


def _resized(image: Any, size: tuple[int, int]) -> Any:
    return image if image.size == size else image.resize(size, BICUBIC)
