"""What a row becomes for a model, and its frames as arrays: stacked, joined, normalised.

>>> from PIL import Image
>>> frames_array([Image.new("L", (8, 4))], (4, 4), Image.Resampling.BICUBIC).shape
(1, 4, 4, 3)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from t2vid.catalog import Family
from t2vid.errors import require
from t2vid.frames.cropped import whole_page
from t2vid.models.families import frame_px, keeps_shape, seen_px
from t2vid.models.strips import strip


@dataclass
class EncodedRow:
    """One row, ready to be put into a batch.

    Attributes:
        id: the row's id, for messages.
        source: the row's source, for the losses by source.
        ids: token ids, `(tokens,)`, every frame expanded to its tokens.
        in_loss: `(tokens,)`, True where the token is a target of the loss, unless `is_frame`.
        is_frame: `(tokens,)`, True where a frame's feature replaces the token's embedding.
        n_frames: number of frames.
        frames: `(frames, height, width, 3)` uint8 at the model's size, or None; for a family that
            takes strips `(frames, patch, patch * patches, 3)`.
        pixels: what the family's own image processor gave, by name, or empty; beside strips their
            `target_sizes`.
        targets: targets of the loss that are another token than the one at their position.
    """

    id: str
    source: str
    ids: np.ndarray[Any, Any]
    in_loss: np.ndarray[Any, Any]
    is_frame: np.ndarray[Any, Any]
    n_frames: int
    frames: np.ndarray[Any, Any] | None = None
    pixels: dict[str, Any] = field(default_factory=dict)
    targets: dict[int, int] = field(default_factory=dict)


def put_pixels(
    row: EncodedRow, frames: Sequence[Any], processor: Any, family: Family, *, direct: bool
) -> EncodedRow:
    """Give a row what its model sees of its frames.

    Args:
        row: changed and returned.
        frames: PIL images.
        processor: the model's.
        family: the model's.
        direct: resize once and leave normalising to the device; else the family's own image
            processor runs.
    """
    if not frames:
        return row
    if not keeps_shape(processor):
        frames = [whole_page(frame) for frame in frames]
    resample = int(processor.image_processor.resample)
    if direct and family.pixels == "strips":
        row.frames, row.pixels = _strips(frames, processor, resample)
    elif direct:
        row.frames = frames_array(frames, frame_px(processor), resample)
    else:
        row.pixels = _processor_pixels(frames, processor, family)
    if family.tiles_lone:
        row.pixels |= untiled(frames)
    return row


def frames_array(
    frames: Sequence[Any], size: tuple[int, int], resample: int
) -> np.ndarray[Any, Any]:
    """Stack PIL images as `(frames, height, width, 3)` uint8, resizing only those of another size.

    Args:
        frames: PIL images of any mode and size.
        size: `(width, height)` in pixels.
        resample: Pillow's filter, as the processor would use.
    """
    out = np.empty((len(frames), size[1], size[0], 3), dtype=np.uint8)
    for target, frame in zip(out, frames, strict=True):
        if frame.size != size:
            frame = frame.resize(size, resample)
        # A gray page stays gray until here: numpy copies it into three channels faster
        # than Pillow converts.
        if frame.mode == "L":
            target[:] = np.asarray(frame)[..., None]
        else:
            target[:] = np.asarray(frame if frame.mode == "RGB" else frame.convert("RGB"))
    return out


def untiled(frames: Sequence[Any]) -> dict[str, Any]:
    """Give what tells LLaVA-OneVision to see each frame of a row as one image, without tiles.

    Args:
        frames: PIL images of one row.
    """
    torch = require("torch", extra="train")
    # It cuts an image into tiles where `batch_num_images` says that its row has one; it reads
    # nothing else from that number, so a lone frame is passed off as one of two.
    return {
        "image_sizes": torch.tensor([[frame.height, frame.width] for frame in frames]),
        "batch_num_images": torch.tensor([max(len(frames), 2)]),
    }


def token_types(ids: Any, family: Family, image_token_id: int) -> dict[str, Any]:
    """Give 1 where a token is a frame's, else 0, under the name by which the family asks for it.

    Args:
        ids: token ids, `(rows, tokens)`.
        family: the model's family.
        image_token_id: id of a frame's tokens.
    """
    return {family.token_types: (ids == image_token_id).int()} if family.token_types else {}


def padded(stacks: Sequence[np.ndarray[Any, Any]], axis: int = 2) -> np.ndarray[Any, Any]:
    """Join stacks of frames, with zeros after those that are shorter along `axis`.

    Args:
        stacks: `(frames, height, width, 3)` each; all of one size but for strips.
        axis: along which sizes may differ.
    """
    longest = max(stack.shape[axis] for stack in stacks)
    if all(stack.shape[axis] == longest for stack in stacks):
        return stacks[0] if len(stacks) == 1 else np.concatenate(stacks)
    shape = [sum(len(stack) for stack in stacks), *stacks[0].shape[1:]]
    shape[axis] = longest
    out, at = np.zeros(shape, dtype=stacks[0].dtype), 0
    for stack in stacks:
        here = [slice(at, at + len(stack)), *map(slice, stack.shape[1:])]
        out[tuple(here)] = stack
        at += len(stack)
    return out


def joined_pixels(rows: Sequence[EncodedRow]) -> dict[str, Any]:
    """Join the pixels of rows into tensors: `frames` of uint8 where they wait to be normalised.

    Args:
        rows: in the order of their frames.
    """
    torch = require("torch", extra="train")
    parts = [row.pixels for row in rows if row.pixels]
    out: dict[str, Any] = {}
    for name in parts[0] if parts else ():
        values = [part[name] for part in parts]
        same = len({value.shape[1:] for value in values}) == 1
        out[name] = (
            torch.cat(values)
            if same
            else torch.from_numpy(padded([value.numpy() for value in values], axis=-1))
        )
    stacks = [row.frames for row in rows if row.frames is not None]
    if stacks:
        out["frames"] = torch.from_numpy(padded(stacks))
    return out


def normalise(frames: Any, processor: Any) -> Any:
    """Turn uint8 frames, on their device, into the pixel values the processor would give.

    Args:
        frames: uint8 tensor `(frames, height, width, 3)`.
        processor: whose `rescale_factor`, `image_mean` and `image_std` apply.

    Returns:
        float32 tensor `(frames, 3, height, width)`.
    """
    images = processor.image_processor
    mean = frames.new_tensor(images.image_mean, dtype=_float32()).view(1, 3, 1, 1)
    std = frames.new_tensor(images.image_std, dtype=_float32()).view(1, 3, 1, 1)
    pixels = frames.permute(0, 3, 1, 2).contiguous().to(_float32())
    return pixels.mul_(images.rescale_factor).sub_(mean).div_(std)


def _float32() -> Any:
    return require("torch", extra="train").float32


def _strips(
    frames: Sequence[Any], processor: Any, resample: int
) -> tuple[np.ndarray[Any, Any], dict[str, Any]]:
    torch = require("torch", extra="train")
    patch = int(processor.image_processor.patch_size)
    sizes = [seen_px(processor, frame.size) for frame in frames]
    strips = [
        strip(frames_array([frame], size, resample)[0], patch)
        for frame, size in zip(frames, sizes, strict=True)
    ]
    grids = [(height // patch, width // patch) for width, height in sizes]
    return padded([one[None] for one in strips]), {"target_sizes": torch.tensor(grids)}


def _processor_pixels(frames: Sequence[Any], processor: Any, family: Family) -> dict[str, Any]:
    frames = [frame.convert("RGB") for frame in frames]
    n = len(frames)
    if n == 1 and family.tiles_lone:
        frames = frames * 2
    out = dict(processor.image_processor(images=[frames], return_tensors="pt"))
    if family.tiles_lone:
        return {"pixel_values": out["pixel_values"][:n].flatten(0, 1)}
    # One patch a frame fills its square, so the mask is all ones: 24 MB of nothing
    # for 24 frames.
    for unused in ("pixel_attention_mask", "rows", "cols", "columns", "num_patches"):
        out.pop(unused, None)
    if family.pixels == "nested":
        out["pixel_values"] = out["pixel_values"].flatten(0, 1)
    return out
