"""`VideoCollator`: rows of 0 to 64 frames in one batch; frames and padding stay out of the loss.

>>> from t2vid.models.tiny import tiny_idefics3
>>> model, processor = tiny_idefics3(["Why? So."])
>>> collate = VideoCollator(processor, family="idefics3")
>>> turns = [{"role": "user", "content": "Why?"}, {"role": "assistant", "content": "So."}]
>>> sorted(collate([{"messages": turns}]))
['attention_mask', 'input_ids', 'labels', 'segments']
"""

from __future__ import annotations

import reprlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from t2vid.catalog import Family
from t2vid.errors import InputError, T2VidError, require
from t2vid.models.families import family_of
from t2vid.models.pixels import EncodedRow, joined_pixels, normalise, token_types
from t2vid.models.rows import LossOn, RowEncoder, RowTooLong

IGNORED = -100  # torch.nn.CrossEntropyLoss's ignore_index, which every loss here follows


@dataclass(frozen=True)
class Segment:
    """Where one row lies in a batch.

    Attributes:
        row: index of the sequence.
        start: first token.
        end: one past the last token.
        id: the row's id.
        source: the row's source.
        n_frames: number of frames.
        n_targets: number of tokens in the loss.
    """

    row: int
    start: int
    end: int
    id: str
    source: str
    n_frames: int
    n_targets: int


@dataclass(frozen=True)
class Dropped:
    """A row that was left out of its batch: its id, its source, and why."""

    id: str
    source: str
    reason: str


@dataclass
class VideoCollator:
    """Collates rows of `messages` and `images` for a vision-language model.

    Works as the `data_collator` of any trainer; `VideoSFTTrainer` sets `uint8=True`, and normalises
    on the device. Beside the model's inputs a batch holds `segments`, which say what lies where; a
    trainer other than `VideoSFTTrainer` wants `segments=False`.

    Args:
        processor: the model's processor, set to one patch a frame.
        family: the model's family, or its `model_type`.
        loss_on: `"answer"` or `"conversation"`, as in `VideoSFTConfig`.
        max_length: limit of tokens in a row; a longer row is an error.
        max_frames: frames shown of a row, for all or by source.
        pixels: `"direct"` or `"processor"`, as in `VideoSFTConfig`.
        chat_template: replaces the processor's own.
        reader: the `Frames` feature that makes frames of stored values, where the column is not
            decoded.
        pad_to_multiple_of: pad sequences to a multiple of so many tokens.
        uint8: leave frames as `frames`, uint8 `(frames, height, width, 3)`, to be normalised on the
            device; strips likewise.
        pack: lay all rows end to end in one sequence with positions that start again at each row,
            from which the model makes block-diagonal attention.
        dummy_frame: give a batch without frames one frame that nothing attends to, so that every
            rank runs the vision tower (ZeRO-3 and FSDP hang otherwise).
        segments: add `segments` to the batch, and `dropped` where rows were left out.
        layout: of the rows, by name; None finds it by each row's keys.
        folder: where relative paths of media start.
        prompt_in_loss: as in `RowEncoder`.
        compat: as in `RowEncoder`.
        on_long: a row over `max_length` is an `"error"`, left out (`"skip"`), or shown with as many
            frames as fit (`"fewer_frames"`; one whose text alone is too long is left out).
        on_bad: a row that cannot be read is an `"error"`, or left out (`"skip"`).
    """

    processor: Any
    family: Family | str
    loss_on: LossOn = "answer"
    max_length: int | None = None
    max_frames: int | Mapping[str, int] | None = None
    pixels: Literal["direct", "processor"] = "direct"
    chat_template: str | None = None
    reader: Any = None
    pad_to_multiple_of: int | None = None
    uint8: bool = False
    pack: bool = False
    dummy_frame: bool = False
    segments: bool = True
    layout: str | None = None
    folder: str | None = None
    prompt_in_loss: bool = False
    compat: str = ""
    on_long: Literal["error", "skip", "fewer_frames"] = "error"
    on_bad: Literal["error", "skip"] = "error"

    def __post_init__(self) -> None:
        """Build the encoder of single rows."""
        require("torch", extra="train")
        family = self.family if isinstance(self.family, Family) else family_of(self.family)
        if self.pack and not family.packs:
            raise InputError(
                f"pack: the positions of family {family.name!r} do not restart; leave it off"
            )
        if self.pack and self.compat:
            raise InputError(
                f"pack: compat={self.compat!r} pads, as the paper's code did; leave it off"
            )
        self.encode = RowEncoder(
            self.processor,
            family=self.family,
            loss_on=self.loss_on,
            max_length=self.max_length,
            max_frames=self.max_frames,
            pixels=self.pixels,
            chat_template=self.chat_template,
            reader=self.reader,
            layout=self.layout,
            folder=self.folder,
            prompt_in_loss=self.prompt_in_loss,
            compat=self.compat,
        )

    def __call__(self, examples: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """Collate rows.

        Args:
            examples: rows as `RowEncoder` takes them.

        Returns:
            `input_ids`, `attention_mask` (packed: `position_ids`), `labels`, each `(rows, tokens)`;
            `pixel_values` (or `frames`) when any row has frames; what else the family's processor
            gives; `segments`.
        """
        dropped: list[Dropped] = []
        rows = [row for example in examples if (row := self._kept(example, dropped)) is not None]
        sequences = [rows] if self.pack else [[row] for row in rows]
        # Every process must run a step, the vision tower included (ZeRO-3 and FSDP hang otherwise).
        blank = not any(row.n_frames for row in rows) and (self.dummy_frame or not rows)
        batch = self.batch(sequences or [[]], dummy=self._blank_row() if blank else None)
        if dropped and self.segments:
            batch["dropped"] = dropped
        return batch

    torch_call = __call__  # the name under which TRL's own collators are called

    def batch(
        self, sequences: Sequence[Sequence[EncodedRow]], *, dummy: EncodedRow | None = None
    ) -> dict[str, Any]:
        """Lay encoded rows out in sequences.

        Args:
            sequences: the rows of each sequence, in order.
            dummy: a row whose tokens are appended to the first sequence, unattended and out of the
                loss.
        """
        import torch

        rows = [row for sequence in sequences for row in sequence]
        lengths = [sum(len(row.ids) for row in sequence) for sequence in sequences]
        if dummy is not None:
            rows = [dummy, *rows]
            lengths[0] += len(dummy.ids)
        width = _round_up(max(lengths), self.pad_to_multiple_of)
        ids = np.full((len(sequences), width), self._pad_id, dtype=np.int64)
        mask = np.zeros_like(ids)
        labels = np.full_like(ids, IGNORED)
        positions = np.zeros_like(ids)
        segments = []
        for i, sequence in enumerate(sequences):
            at = 0
            for row in sequence:
                here = slice(at, at + len(row.ids))
                ids[i, here] = row.ids
                mask[i, here] = 1
                positions[i, here] = np.arange(len(row.ids))
                labels[i, here] = np.where(row.in_loss & ~row.is_frame, row.ids, IGNORED)
                for place, token in row.targets.items():
                    labels[i, at + place] = token
                labels[i, at] = IGNORED  # nothing before it predicts a row's first token
                targets = int((labels[i, here] != IGNORED).sum())
                segments.append(
                    Segment(i, at, here.stop, row.id, row.source, row.n_frames, targets)
                )
                at = here.stop
            if dummy is not None and i == 0:
                here = slice(at, at + len(dummy.ids))
                ids[i, here] = dummy.ids
                positions[i, here] = np.arange(len(dummy.ids))
        out: dict[str, Any] = {
            "input_ids": torch.from_numpy(ids),
            "attention_mask": torch.from_numpy(mask),
            "labels": torch.from_numpy(labels),
        }
        if self.pack:
            # A mask would hide the positions from which the model tells the rows apart.
            # Nor does a model look at them that keeps a cache, and to keep one is its default.
            out |= {"position_ids": torch.from_numpy(positions), "use_cache": False}
            del out["attention_mask"]
        encode = self.encode
        out |= token_types(out["input_ids"], encode.family, encode.image_token_id)
        out |= self._pixels(rows)
        if self.segments:
            out["segments"] = segments
        return out

    def _kept(self, example: Mapping[str, Any], dropped: list[Dropped]) -> EncodedRow | None:
        """Encode a row, or note why it is left out."""
        limit = None
        while True:
            try:
                return self._encode(example, limit)
            except RowTooLong as error:
                fit = error.frames_that_fit
                if self.on_long == "error":
                    raise
                if self.on_long == "fewer_frames" and fit > 0 and (limit is None or fit < limit):
                    limit = fit
                    continue
                reason = "too long"
            except T2VidError as error:
                if self.on_bad == "error":
                    raise
                reason = str(getattr(error, "reason", "unreadable"))
            name, source = (str(example.get(key) or "") for key in ("id", "source"))
            dropped.append(Dropped(name, source, reason))
            return None

    def _encode(self, example: Mapping[str, Any], limit: int | None) -> EncodedRow:
        try:
            return self.encode(example, limit=limit)
        except T2VidError as error:
            # A file's error names the file; which row it belongs to is known only here.
            if example.get("id") is None or repr(example["id"]) not in str(error):
                head = f"{_name(example)}: {error}"
                error.args = (head, *error.args[1:])
            raise
        except Exception as error:
            raise InputError(
                f"{_name(example)} cannot be collated: {type(error).__name__}: {error}"
            ) from error

    def _pixels(self, rows: Sequence[EncodedRow]) -> dict[str, Any]:
        out = joined_pixels(rows)
        if "frames" in out and not self.uint8:
            to_pixel_values(out, self.processor, self.encode.family)
        elif "pixel_values" in out and self.encode.family.pixels == "nested":
            out["pixel_values"] = out["pixel_values"].unsqueeze(0)
        return out

    def _blank_row(self) -> EncodedRow:
        from PIL import Image

        from t2vid.models.families import frame_px

        turns = [{"role": "user", "content": "."}, {"role": "assistant", "content": "."}]
        blank = Image.new("RGB", frame_px(self.processor))
        row = self.encode({"messages": turns, "images": [blank]})
        row.ids = self.encode.frame_ids(blank.size)
        return row

    @property
    def _pad_id(self) -> int:
        tokenizer = self.processor.tokenizer
        pad = tokenizer.pad_token_id
        return int(tokenizer.eos_token_id if pad is None else pad)


def _name(row: Mapping[str, Any]) -> str:
    """Name a row in a message; one without an id by how it begins."""
    if row.get("id") is not None:
        return f"sample {row['id']!r} of {row.get('source')!r}"
    there = {key: value for key, value in row.items() if value is not None}
    return f"a row without an id, {reprlib.repr(there)}"


def to_pixel_values(batch: dict[str, Any], processor: Any, family: Family) -> dict[str, Any]:
    """Replace `frames` (uint8) of a batch by `pixel_values`, on whatever device they are.

    Args:
        batch: changed and returned; left alone when it holds no `frames`.
        processor: whose mean and standard deviation apply.
        family: whose layout the values get.
    """
    frames = batch.pop("frames", None)
    if frames is not None:
        values = normalise(frames, processor)
        batch["pixel_values"] = values.unsqueeze(0) if family.pixels == "nested" else values
    return batch


def _round_up(value: int, multiple: int | None) -> int:
    return value if not multiple else -(-value // multiple) * multiple
