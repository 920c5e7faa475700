"""A row turned into what a model takes: token ids with frames expanded, loss mask, pixels.

>>> from t2vid.models.tiny import tiny_idefics3
>>> model, processor = tiny_idefics3(["Why? So."])
>>> encode = RowEncoder(processor, family="idefics3")
>>> row = encode({"prompt": "Why?", "completion": "So."})
>>> processor.tokenizer.decode([t for t, keep in zip(row.ids, row.in_loss) if keep])
' So.<end_of_utterance>'
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np

from t2vid.catalog import Family
from t2vid.errors import BudgetError, InputError, pluralize, require
from t2vid.frames.feature import Frames, at_size
from t2vid.models import templates
from t2vid.models.families import decode_px, family_of, frame_px, seen_px
from t2vid.models.strips import strip

LossOn = Literal["answer", "conversation"]


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
    """

    id: str
    source: str
    ids: np.ndarray[Any, Any]
    in_loss: np.ndarray[Any, Any]
    is_frame: np.ndarray[Any, Any]
    n_frames: int
    frames: np.ndarray[Any, Any] | None = None
    pixels: dict[str, Any] = field(default_factory=dict)


class RowEncoder:
    """Turns rows into `EncodedRow`s; picklable, so that it works inside data-loader workers.

    Args:
        processor: the model's processor, set to one patch a frame.
        family: the model's family, or its `model_type`.
        loss_on: `"answer"` counts the assistant's words and end token, `"conversation"` every token
            but those that frames replace.
        max_length: limit of tokens in a row; a longer row is an error.
        max_frames: frames shown of a row, by source or for all; None shows all.
        pixels: `"direct"` decodes a stored video at the model's size (unless its spec states one),
            resizes what has another size once, and leaves normalising to the device; `"processor"`
            runs the family's image processor on frames of the video's own size.
        chat_template: replaces the processor's own; must mark the answers by `{% generation %}`.
        reader: the `Frames` feature that makes the frames of a stored value; its own budget holds
            where `max_frames` sets none.
    """

    def __init__(
        self,
        processor: Any,
        *,
        family: Family | str,
        loss_on: LossOn = "answer",
        max_length: int | None = None,
        max_frames: int | Mapping[str, int] | None = None,
        pixels: Literal["direct", "processor"] = "direct",
        chat_template: str | None = None,
        reader: Frames | None = None,
    ) -> None:
        if loss_on not in ("answer", "conversation"):
            raise InputError(f'loss_on ({loss_on!r}) must be "answer" or "conversation"')
        if not processor.tokenizer.is_fast:
            raise InputError(
                f"{type(processor.tokenizer).__name__} gives no offsets; use a fast one"
            )
        self.processor = processor
        self.family = family if isinstance(family, Family) else family_of(family)
        self.loss_on = loss_on
        self.max_length = max_length
        self.max_frames = max_frames
        self.direct = pixels == "direct" and self.family.pixels != "processor"
        self.reader = reader or Frames()
        self.template = chat_template or training_template(processor)
        self.image_token = str(processor.image_token)
        self.image_token_id = int(processor.tokenizer.convert_tokens_to_ids(self.image_token))
        added = processor.tokenizer.added_tokens_decoder.values()
        self._ends = tuple(token.content for token in added if token.special)
        self._frame_ids: dict[tuple[int, int], np.ndarray[Any, Any]] = {}

    def __call__(self, row: Mapping[str, Any], *, prompt_only: bool = False) -> EncodedRow:
        """Encode one row.

        Args:
            row: `messages` (or `prompt` and `completion`), `images` (PIL images, or what a `Frames`
                column stores, which is then drawn or decoded here within the row's own budget), and
                for error messages and losses `id` and `source`.
            prompt_only: stop before the last answer, with the cue that asks the model for it.

        Raises:
            BudgetError: when the row needs more than `max_length` tokens.
            InputError: when nothing of the row would be in the loss, or frames have no user turn to
                stand in.
        """
        frames = self._budget(row)
        turns = conversation(row)
        if prompt_only and turns and turns[-1]["role"] == "assistant":
            turns = turns[:-1]
        name = str(row.get("id") or "")
        turns = place_frames(turns, len(frames), name=name)
        ids, in_loss = self._tokens(turns, prompt_only=prompt_only)
        ids, in_loss, is_frame = self._expand(ids, in_loss, frames, name=name)
        encoded = EncodedRow(
            name, str(row.get("source") or ""), ids, in_loss, is_frame, n_frames=len(frames)
        )
        self._check(encoded, prompt_only=prompt_only)
        if frames and self.direct and self.family.pixels == "strips":
            encoded.frames, encoded.pixels = self._strips(frames)
        elif frames and self.direct:
            encoded.frames = frames_array(frames, frame_px(self.processor), self._resample())
        elif frames:
            encoded.pixels = self._processor_pixels(frames)
        if frames and self.family.tiles_lone:
            encoded.pixels |= untiled(frames)
        return encoded

    def n_tokens(self, row: Mapping[str, Any], *, n_frames: int) -> int:
        """Count the tokens of a row without looking at its frames.

        Args:
            row: as for a call; `images` is not read.
            n_frames: number of frames the row has before the budget.
        """
        budget = self.budget(str(row.get("source") or ""))
        n = n_frames if budget is None else min(n_frames, budget)
        turns = place_frames(conversation(row), n, name=str(row.get("id") or ""))
        ids, _ = self._tokens(turns, prompt_only=False)
        return len(ids) + n * (len(self.frame_ids(frame_px(self.processor))) - 1)

    def budget(self, source: str) -> int | None:
        """Give the number of frames shown of a row of `source`; None for no limit."""
        if isinstance(self.max_frames, Mapping):
            return self.max_frames.get(source, self.max_frames.get("*"))
        return self.max_frames

    def frame_ids(self, size: tuple[int, int]) -> np.ndarray[Any, Any]:
        """Give the token ids that one frame of `size` (width, height) becomes, marks included."""
        if size not in self._frame_ids:
            from PIL import Image

            # The processor itself says what it writes for a frame, so no family is
            # spelled out here.
            blank = Image.new("RGB", size)
            n = 2 if self.family.tiles_lone else 1
            out = self.processor(
                text=[self.image_token * n], images=[[blank] * n], add_special_tokens=False
            )
            ids = np.asarray(out["input_ids"][0], dtype=np.int64)
            self._frame_ids[size] = ids[: len(ids) // n]
        return self._frame_ids[size]

    def _budget(self, row: Mapping[str, Any]) -> Sequence[Any]:
        frames = row.get("images")
        limit = self.budget(str(row.get("source") or ""))
        if isinstance(frames, dict):
            limit = limit or self.reader.max_frames
            stored = at_size(frames, decode_px(self.processor)) if self.direct else frames
            frames = replace(self.reader, decode=True, max_frames=limit).decode_example(stored)
        frames = [] if frames is None else frames
        if limit is None or len(frames) <= limit:
            return list(frames)
        if getattr(frames, "spans", None) is not None:
            return list(frames[:limit])  # pages are read from the start
        keep = np.linspace(0, len(frames) - 1, limit).round().astype(int)
        return [frames[int(i)] for i in keep]

    def _tokens(
        self, turns: list[dict[str, Any]], *, prompt_only: bool
    ) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
        render = require("transformers.utils.chat_template_utils", extra="train")
        safe = [_without_marks(turn, self.image_token) for turn in turns]
        (text,), (spans,) = render.render_jinja_template(
            [safe],
            chat_template=self.template,
            return_assistant_tokens_mask=True,
            add_generation_prompt=prompt_only,
            **self.processor.tokenizer.special_tokens_map,
        )
        out = self.processor.tokenizer(
            text, add_special_tokens=False, return_offsets_mapping=True, return_attention_mask=False
        )
        ids = np.asarray(out["input_ids"], dtype=np.int64)
        at = np.asarray(out["offset_mapping"], dtype=np.int64).reshape(-1, 2)
        in_loss = np.zeros(len(ids), dtype=bool)
        for start, end in spans:
            start, end = _trim(text, start, end, self._ends)
            in_loss |= (at[:, 1] > start) & (at[:, 0] < end)
        if self.loss_on == "conversation":
            in_loss[:] = True
        return ids, in_loss

    def _expand(
        self,
        ids: np.ndarray[Any, Any],
        in_loss: np.ndarray[Any, Any],
        frames: Sequence[Any],
        *,
        name: str,
    ) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any], np.ndarray[Any, Any]]:
        places = np.flatnonzero(ids == self.image_token_id)
        if len(places) != len(frames):
            raise InputError(
                f"sample {name!r} has {pluralize(len(frames), 'frame')} but its prompt holds {len(places)} "
                f"{self.image_token!r}; the chat template must write one for each image part"
            )
        out_ids, out_loss, cut = [], [], 0
        for place, frame in zip(places, frames, strict=True):
            new = self.frame_ids(frame_px(self.processor) if self.direct else frame.size)
            out_ids += [ids[cut:place], new]
            out_loss += [in_loss[cut:place], np.full(len(new), in_loss[place])]
            cut = int(place) + 1
        expanded = np.concatenate([*out_ids, ids[cut:]])
        is_frame = expanded == self.image_token_id
        return expanded, np.concatenate([*out_loss, in_loss[cut:]]), is_frame

    def _check(self, row: EncodedRow, *, prompt_only: bool) -> None:
        need = len(row.ids)
        if self.max_length is not None and need > self.max_length:
            per_frame = row.is_frame.sum() // row.n_frames if row.n_frames else 0
            text = need - int(row.is_frame.sum())
            raise BudgetError(
                f"sample {row.id!r} needs {need:,} tokens ({row.n_frames} frames x {per_frame} + "
                f"{text:,} text) but max_length={self.max_length:,}, so its answer would be cut; "
                f"raise max_length, lower max_frames, or drop the row"
            )
        # The first token is nobody's target: targets are shifted by one.
        if not prompt_only and not row.in_loss[1:].any():
            raise InputError(
                f"sample {row.id!r} has no token in the loss: it has no assistant turn, or the "
                "chat template marks none by {% generation %}"
            )

    def _resample(self) -> int:
        return int(self.processor.image_processor.resample)

    def _strips(self, frames: Sequence[Any]) -> tuple[np.ndarray[Any, Any], dict[str, Any]]:
        torch = require("torch", extra="train")
        patch = int(self.processor.image_processor.patch_size)
        sizes = [seen_px(self.processor, frame.size) for frame in frames]
        strips = [
            strip(frames_array([frame], size, self._resample())[0], patch)
            for frame, size in zip(frames, sizes, strict=True)
        ]
        grids = [(height // patch, width // patch) for width, height in sizes]
        return padded([one[None] for one in strips]), {"target_sizes": torch.tensor(grids)}

    def _processor_pixels(self, frames: Sequence[Any]) -> dict[str, Any]:
        frames = [frame.convert("RGB") for frame in frames]
        n = len(frames)
        if n == 1 and self.family.tiles_lone:
            frames = frames * 2
        out = dict(self.processor.image_processor(images=[frames], return_tensors="pt"))
        if self.family.tiles_lone:
            return {"pixel_values": out["pixel_values"][:n].flatten(0, 1)}
        # One patch a frame fills its square, so the mask is all ones: 24 MB of nothing
        # for 24 frames.
        for unused in ("pixel_attention_mask", "rows", "cols", "columns", "num_patches"):
            out.pop(unused, None)
        if self.family.pixels == "nested":
            out["pixel_values"] = out["pixel_values"].flatten(0, 1)
        return out


def training_template(processor: Any) -> str:
    """Give a chat template that marks the answers: the processor's own, TRL's variant of it, or ours.

    Raises:
        InputError: when the template has no marks and nobody knows a variant with marks.
    """
    own = getattr(processor, "chat_template", None) or processor.tokenizer.chat_template
    if own is None:
        raise InputError(f"{type(processor).__name__} has no chat template; pass chat_template=")
    if re.search(r"\{%-?\s*generation\s*-?%\}", own):
        return str(own)
    trl = require("trl.chat_template_utils", extra="train")
    try:
        marked = trl.get_training_chat_template(processor)
    except ValueError as error:
        known = templates.marked(str(own), processor.tokenizer.special_tokens_map)
        if known is not None:
            return known
        raise InputError(
            "the chat template does not mark the answers; pass chat_template= with "
            "{% generation %} and {% endgeneration %} around them"
        ) from error
    return str(marked or own)


def conversation(row: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Give the turns of a row, every content a list of parts.

    Args:
        row: with `messages`, or with conversational or plain `prompt` and `completion`.
    """
    turns = row.get("messages")
    if turns is None:
        turns = [*_as_turns(row["prompt"], "user"), *_as_turns(row["completion"], "assistant")]
    return [{"role": turn["role"], "content": _parts(turn["content"])} for turn in turns]


def place_frames(
    turns: list[dict[str, Any]], n_frames: int, *, name: str = ""
) -> list[dict[str, Any]]:
    """Make the number of image placeholders equal the number of frames.

    Placeholders that already match stay where they are; otherwise all frames go in front of the
    first user text.

    Args:
        turns: as `conversation` gives them.
        n_frames: how many frames there are.
        name: the row's id, for the error.

    Raises:
        InputError: when there are frames and no user turn.
    """
    written = sum(part["type"] == "image" for turn in turns for part in turn["content"])
    if written == n_frames:
        return turns
    turns = [
        {**turn, "content": [part for part in turn["content"] if part["type"] != "image"]}
        for turn in turns
    ]
    for turn in turns:
        if turn["role"] == "user" or n_frames == 0:
            turn["content"] = [{"type": "image"}] * n_frames + turn["content"]
            return turns
    raise InputError(
        f"sample {name!r} has {pluralize(n_frames, 'frame')} but no user turn to show them in"
    )


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
    """Give `mm_token_type_ids` (1 where a token is a frame's) to a family that asks for them.

    Args:
        ids: token ids, `(rows, tokens)`.
        family: the model's family.
        image_token_id: id of a frame's tokens.
    """
    return {"mm_token_type_ids": (ids == image_token_id).int()} if family.token_types else {}


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


def _as_turns(value: Any, role: str) -> list[Any]:
    return [{"role": role, "content": value}] if isinstance(value, str) else list(value)


def _parts(content: Any) -> list[dict[str, Any]]:
    if isinstance(content, str):
        return [{"type": "text", "text": content}]
    return [
        {"type": "image"} if part["type"] == "image" else {"type": "text", "text": part["text"]}
        for part in content
    ]


def _without_marks(turn: dict[str, Any], image_token: str) -> dict[str, Any]:
    # A paper on vision-language models may spell `<image>`; as a token it would ask for a frame.
    split = f"{image_token[0]} {image_token[1:]}"
    content = [
        {**part, "text": part["text"].replace(image_token, split)}
        if part["type"] == "text"
        else part
        for part in turn["content"]
    ]
    return {**turn, "content": content}


def _trim(text: str, start: int, end: int, ends: tuple[str, ...]) -> tuple[int, int]:
    # Templates put a newline after the end token inside the mark; generation stops before it.
    inner = text[start:end].rstrip()
    if inner.endswith(ends):
        return start, start + len(inner)
    for mark in ends:  # or leave the end token outside the mark, which would never be learned
        if text.startswith(mark, end):
            return start, end + len(mark)
    return start, end
