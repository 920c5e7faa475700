"""One collated batch read back: its frames, its prompt, what the loss counts.

    found = read_back(collate(rows), collate)
    print(found.text())

`t2vid.pages.batch.inspect` does it for a recipe or a dataset, and makes a page of it.

>>> row = InspectedRow("a", "texts", [TokenRun("seen", "Why? ", 2), TokenRun("loss", "So.", 2)], 0, [], 4, 2, 0)
>>> print(Inspection("one row", [row], [], 0.0).text().splitlines()[-1])
Why? ⟦So.⟧
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from PIL import Image

from t2vid.models.strips import unstrip
from t2vid.models.token_runs import TokenRun, token_runs

_GREEN, _SOFT, _BOLD, _OFF = "\x1b[30;42m", "\x1b[2m", "\x1b[1m", "\x1b[0m"


@dataclass(frozen=True)
class InspectedRow:
    """One row of a batch, read back from what the model is given.

    Attributes:
        id: the row's id.
        source: the row's source.
        runs: its tokens, in order.
        n_frames: number of frames.
        pictures: they, with normalisation undone.
        n_tokens: number of tokens.
        n_targets: number of tokens in the loss.
        tokens_per_frame: tokens that one frame's features replace; 0 without frames.
    """

    id: str
    source: str
    runs: list[TokenRun]
    n_frames: int
    pictures: list[Image.Image]
    n_tokens: int
    n_targets: int
    tokens_per_frame: int


@dataclass(frozen=True)
class Inspection:
    """A batch, read back.

    Attributes:
        title: what was looked at.
        rows: its rows.
        tensors: name, shape, type and megabytes of what the model is given.
        padding_share: share of token places that hold padding.
        note: what cannot be shown, and why; empty when all can.
    """

    title: str
    rows: list[InspectedRow]
    tensors: list[tuple[str, str, str, float]]
    padding_share: float
    note: str = field(default="")

    def text(self, *, colour: bool = False) -> str:
        """Give the batch as text; targets of the loss are coloured, or stand in ⟦brackets⟧.

        Args:
            colour: use the colours of a terminal.
        """
        lines = [self.title, ""]
        for name, shape, dtype, megabytes in self.tensors:
            lines.append(f"  {name:<16}{shape:<24}{dtype:<10}{megabytes:>9.2f} MB")
        lines.append(f"  padding {self.padding_share:.1%}. {self.note}".rstrip())
        for row in self.rows:
            head = f"{row.id or 'row'} ({row.source or 'no source'}): {row_counts(row)}"
            lines += ["", f"{_BOLD}{head}{_OFF}" if colour else head]
            lines.append("".join(_coloured(run) if colour else _bracketed(run) for run in row.runs))
        return "\n".join(lines)


def read_back(batch: dict[str, Any], collate: Any, *, title: str = "a batch") -> Inspection:
    """Turn a collated batch back into words and pictures.

    Args:
        batch: what a `VideoCollator` gave, with `segments`.
        collate: that collator.
        title: for the page.
    """
    from t2vid.trainer.collator import to_pixel_values

    segments = batch.pop("segments")
    batch = to_pixel_values(batch, collate.processor, collate.encode.family)
    pictures = unnormalised(
        batch.get("pixel_values"), collate.processor, sizes=_strip_sizes(batch, collate)
    )
    note, at, rows = "", 0, []
    for segment in segments:
        here = slice(segment.start, segment.end)
        ids = batch["input_ids"][segment.row, here].tolist()
        labels = batch["labels"][segment.row, here].tolist()
        runs = token_runs(
            ids,
            [label != -100 for label in labels],
            collate.processor.tokenizer,
            image_token_id=collate.encode.image_token_id,
            frame=_one_frame(collate) if segment.n_frames else (),
        )
        per_frame = ids.count(collate.encode.image_token_id) // max(1, segment.n_frames)
        shown = pictures[at : at + segment.n_frames] if pictures is not None else []
        at += segment.n_frames
        if len(shown) < segment.n_frames:
            note = "This family's pixel values are patches, which are not put together here."
        rows.append(
            InspectedRow(
                id=segment.id,
                source=segment.source,
                runs=runs,
                n_frames=segment.n_frames,
                pictures=shown,
                n_tokens=len(ids),
                n_targets=segment.n_targets,
                tokens_per_frame=per_frame,
            )
        )
    tensors = [
        (name, " x ".join(map(str, t.shape)), str(t.dtype).removeprefix("torch."), _megabytes(t))
        for name, t in batch.items()
        if hasattr(t, "numel")
    ]
    padding = 1 - sum(row.n_tokens for row in rows) / batch["input_ids"].numel()
    return Inspection(title, rows, tensors, padding, note)


def unnormalised(
    pixel_values: Any, processor: Any, *, sizes: Any = None
) -> list[Image.Image] | None:
    """Turn pixel values back into pictures; None for values that are no pictures.

    Args:
        pixel_values: float tensor `(…, frames, 3, height, width)`, or None.
        processor: whose mean, standard deviation and scale apply.
        sizes: of strips, rows and columns of each frame's patches, or None.
    """
    if pixel_values is None:
        return []
    if pixel_values.ndim < 4 or pixel_values.shape[-3] != 3:
        return None
    images = processor.image_processor
    values = pixel_values.flatten(0, -4).float().numpy().transpose(0, 2, 3, 1)
    values = (values * np.asarray(images.image_std) + np.asarray(images.image_mean)) / float(
        images.rescale_factor
    )
    frames = values.round().clip(0, 255).astype(np.uint8)
    if sizes is not None:
        frames = [unstrip(frame, *size) for frame, size in zip(frames, sizes, strict=True)]
    return [Image.fromarray(frame) for frame in frames]


def _strip_sizes(batch: Any, collate: Any) -> Any:
    strips = collate.encode.family.pixels == "strips" and "target_sizes" in batch
    return batch["target_sizes"].tolist() if strips else None


def _one_frame(collate: Any) -> list[int]:
    """Give the tokens that a frame becomes, its marks included; none where sizes differ."""
    from t2vid.models.families import frame_px

    if not collate.encode.direct:
        return []
    return [int(token) for token in collate.encode.frame_ids(frame_px(collate.processor))]


def row_counts(row: InspectedRow) -> str:
    """Say what a row costs: frames, tokens, targets of the loss."""
    plural = "s" if row.n_frames > 1 else ""
    frames = (
        f"{row.n_frames} frame{plural} of {row.tokens_per_frame} tokens, " if row.n_frames else ""
    )
    return f"{frames}{row.n_tokens:,} tokens, {row.n_targets:,} in the loss"


def _coloured(run: TokenRun) -> str:
    if run.kind == "frame":
        return f"{_SOFT}[{run.text}: {run.n_tokens} tokens]{_OFF}"
    return f"{_GREEN}{run.text}{_OFF}" if run.kind == "loss" else run.text


def _bracketed(run: TokenRun) -> str:
    if run.kind == "frame":
        return f"[{run.text}: {run.n_tokens} tokens]"
    return f"⟦{run.text}⟧" if run.kind == "loss" else run.text


def _megabytes(tensor: Any) -> float:
    return float(tensor.numel() * tensor.element_size() / 1e6)
