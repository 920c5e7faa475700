"""Ask a model in this process for greedy answers, one batch of prompts at a time.

>>> from t2vid.models.tiny import tiny_idefics3
>>> model, processor = tiny_idefics3(["Why? So."])
>>> rows = [{"messages": [{"role": "user", "content": "Why?"}], "images": []}]
>>> len(answer(model, processor, rows, max_new_tokens=4))
1
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from t2vid.errors import InputError, require
from t2vid.models.families import family_of, one_patch
from t2vid.models.pixels import EncodedRow, joined_pixels, normalise, token_types
from t2vid.models.rows import RowEncoder
from t2vid.progress import progress


def answer(
    model: Any,
    processor: Any,
    rows: Sequence[Mapping[str, Any]],
    *,
    max_new_tokens: int = 64,
    batch_size: int = 8,
    max_frames: int | Mapping[str, int] | None = None,
    desc: str = "answers",
) -> list[str]:
    """Answer each row greedily, in place of its last assistant turn where it has one.

    Args:
        model: a vision-language model of a known family; put into evaluation mode.
        processor: its processor; set to one patch a frame.
        rows: rows with `messages` and `images`, as training takes them.
        max_new_tokens: limit of tokens of an answer.
        batch_size: rows answered at a time.
        max_frames: frames shown of a row, for all or by source.
        desc: noun of the progress bar.

    Returns:
        One answer a row, in order, without special tokens or surrounding blanks.

    Raises:
        InputError: when `batch_size` or `max_new_tokens` is not positive.
    """
    if batch_size < 1 or max_new_tokens < 1:
        raise InputError(
            f"batch_size ({batch_size}) and max_new_tokens ({max_new_tokens}) must be > 0"
        )
    encode = RowEncoder(one_patch(processor), family=family_of(model), max_frames=max_frames)
    answers: list[str] = []
    model.eval()
    bar = progress(range(0, len(rows), batch_size), desc=desc, unit="batch")
    for batch in _batches(bar, rows, encode, batch_size):
        answers += generate(model, processor, encode, batch, max_new_tokens=max_new_tokens)
    return answers


def generate(
    model: Any,
    processor: Any,
    encode: RowEncoder,
    batch: Sequence[EncodedRow],
    *,
    max_new_tokens: int,
    in_step: bool = False,
) -> list[str]:
    """Answer one batch of encoded prompts greedily.

    Args:
        model: in evaluation mode.
        processor: its processor.
        encode: the encoder that made the batch.
        batch: prompts.
        max_new_tokens: limit of tokens of an answer.
        in_step: every process goes on until the last one has its answers, as weights that are
            shared out among them (ZeRO-3, FSDP) demand.
    """
    torch = require("torch", extra="eval")
    inputs = left_padded(batch, processor, encode)
    inputs = {name: value.to(model.device) for name, value in inputs.items()}
    with torch.no_grad():
        out = model.generate(
            **inputs,
            max_new_tokens=max_new_tokens,
            do_sample=False,
            pad_token_id=_pad_id(processor.tokenizer),
            eos_token_id=_end_ids(model, processor.tokenizer),
            synced_gpus=in_step or None,
            use_cache=True,  # a checkpoint that was saved in training may say otherwise
        )
    new = out[:, inputs["input_ids"].shape[1] :]
    texts = processor.tokenizer.batch_decode(new, skip_special_tokens=True)
    return [text.strip() for text in texts]


def choose(
    model: Any,
    processor: Any,
    encode: RowEncoder,
    batch: Sequence[EncodedRow],
    choices: Sequence[Sequence[str]],
) -> list[str]:
    """Answer each prompt by the choice to whose first token one forward pass gives most.

    Args:
        model: in evaluation mode.
        processor: its processor.
        encode: the encoder that made the batch.
        batch: prompts.
        choices: of each prompt, such as `("A", "B")`.

    Raises:
        InputError: where the tokenizer begins two choices alike.
    """
    torch = require("torch", extra="eval")
    inputs = left_padded(batch, processor, encode)
    inputs = {name: value.to(model.device) for name, value in inputs.items()}
    with torch.no_grad():
        # generate, not forward: it knows how each family counts positions under padding
        out = model.generate(
            **inputs,
            max_new_tokens=1,
            do_sample=False,
            pad_token_id=_pad_id(processor.tokenizer),
            output_logits=True,
            return_dict_in_generate=True,
        )
    logits = out.logits[0].float().cpu()
    said = []
    for scores, names in zip(logits, choices, strict=True):
        begins = {name: first_tokens(processor.tokenizer, name) for name in names}
        shared = {i for a in names for b in names if a != b for i in begins[a] & begins[b]}
        alone = {name: begins[name] - shared for name in names}
        if not all(alone.values()):
            raise InputError(
                f"the tokenizer begins several of {list(names)} with one token; answer by 'generate'"
            )
        said.append(max(names, key=lambda name: max(float(scores[i]) for i in alone[name])))
    return said


def first_tokens(tokenizer: Any, word: str) -> set[int]:
    """Give the tokens with which an answer may begin a word: as it is, capital, after a blank."""
    forms = {word, word.capitalize()}
    forms |= {f" {form}" for form in forms}
    ids = (tokenizer.encode(form, add_special_tokens=False) for form in forms)
    return {one[0] for one in ids if one}


def left_padded(rows: Sequence[EncodedRow], processor: Any, encode: RowEncoder) -> dict[str, Any]:
    """Lay prompts out for generation: every prompt ends at the right edge.

    Args:
        rows: prompts as `RowEncoder(…)(row, prompt_only=True)` gives them.
        processor: whose padding token, mean and standard deviation apply.
        encode: the encoder that made the rows.
    """
    import torch

    width = max(len(row.ids) for row in rows)
    ids = np.full((len(rows), width), _pad_id(processor.tokenizer), dtype=np.int64)
    mask = np.zeros_like(ids)
    for i, row in enumerate(rows):
        ids[i, width - len(row.ids) :] = row.ids
        mask[i, width - len(row.ids) :] = 1
    out = {"input_ids": torch.from_numpy(ids), "attention_mask": torch.from_numpy(mask)}
    out |= token_types(out["input_ids"], encode.family, encode.image_token_id)
    out |= joined_pixels(rows)
    if "frames" in out:
        out["pixel_values"] = normalise(out.pop("frames"), processor)
    if "pixel_values" in out and encode.family.pixels == "nested":
        out["pixel_values"] = out["pixel_values"].unsqueeze(0)
    return out


def _batches(
    starts: Iterator[int], rows: Sequence[Mapping[str, Any]], encode: RowEncoder, size: int
) -> Iterator[list[EncodedRow]]:
    for start in starts:
        stop = min(start + size, len(rows))
        # One row at a time: a `datasets` slice would decode every column of the batch at once.
        yield [encode(rows[i], prompt_only=True) for i in range(start, stop)]


def _end_ids(model: Any, tokenizer: Any) -> list[int] | None:
    # A chat may end its turns by another token than the one that a checkpoint's settings name.
    own = model.generation_config.eos_token_id
    ends = {*(own if isinstance(own, list) else [own]), tokenizer.eos_token_id} - {None}
    return sorted(ends) or None


def _pad_id(tokenizer: Any) -> int:
    pad = tokenizer.pad_token_id
    return int(tokenizer.eos_token_id if pad is None else pad)
