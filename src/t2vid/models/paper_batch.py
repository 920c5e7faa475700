"""The batches of the paper's own training code, for `compat="t2vid-paper"`; the default differs on purpose.

>>> from t2vid.models.families import family_of
>>> says = [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": " Why? "}]}]
>>> written_as_in_paper(says, family_of("idefics3"))[0]["content"][1]["text"]
'Why?'

What is followed: T2Vid's `Idefics3/finetune/dataset.py`, `MiniCPM-V/finetune/dataset.py` and
`MiniCPM-V/finetune/trainer.py`. docs/training.md has the table of differences.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from t2vid.catalog import Family
from t2vid.errors import InputError

COMPAT = "t2vid-paper"
# What each of the two programs puts its loss on.
LOSS_ON = {"idefics3": "conversation", "minicpm": "answer"}


def checked(compat: str, family: Family) -> str:
    """Check that a batch of the paper is known for a family.

    Raises:
        InputError: for another word, or a family whose training code was not published.
    """
    if compat and compat != COMPAT:
        raise InputError(f"compat ({compat!r}) must be {COMPAT!r}, or None")
    if compat and family.name not in LOSS_ON:
        raise InputError(
            f"compat={compat!r}: the paper's repository holds training code of "
            f"{' and '.join(LOSS_ON)}, and none of {family.name}"
        )
    return compat


def written_as_in_paper(
    messages: Sequence[Mapping[str, Any]], family: Family
) -> list[dict[str, Any]]:
    """Put the parts of turns where the paper's code puts them.

    Idefics3: all frames before the first text, texts stripped. MiniCPM: frames are joined to what
    stands beside them by the line breaks of the file and those of the program.

    Args:
        messages: turns with lists of parts.
        family: of the model.

    Raises:
        InputError: for a turn that is neither the user's nor the assistant's.
    """
    if other := next((m["role"] for m in messages if m["role"] not in ("user", "assistant")), None):
        raise InputError(f"compat={COMPAT!r}: the paper's code knows no turn of {other!r}")
    if family.name == "minicpm":
        return [{**one, "content": _with_breaks(one["content"])} for one in messages]
    frames = [part for one in messages for part in one["content"] if part["type"] == "image"]
    out = []
    for at, one in enumerate(messages):
        text = "".join(part["text"] for part in one["content"] if part["type"] == "text").strip()
        content = [*(frames if at == 0 else ()), {"type": "text", "text": text}]
        out.append({**one, "content": content})
    return out


def template_of_paper(own: str, family: Family) -> str:
    """Give the chat template that goes with `written_as_in_paper`.

    Args:
        own: the processor's, with marked answers.
        family: of the model.
    """
    return own.replace("join('\n')", "join('')") if family.name == "minicpm" else own


def tokens_of_paper(
    ids: np.ndarray[Any, Any], in_loss: np.ndarray[Any, Any], processor: Any, family: Family
) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Give the tokens that the paper's code makes of a conversation, frames not expanded yet.

    Idefics3's begins twice, once by the template and once by the tokenizer, and its last line break
    is stripped; MiniCPM's is as it is.

    Args:
        ids: `(tokens,)`.
        in_loss: `(tokens,)`.
        processor: the model's.
        family: of the model.
    """
    if family.name != "idefics3":
        return ids, in_loss
    tokenizer = processor.tokenizer
    end = tokenizer.convert_tokens_to_ids("<end_of_utterance>")
    stop = int(np.flatnonzero(ids == end)[-1]) + 1
    ids, in_loss = ids[:stop], in_loss[:stop]
    return np.concatenate([[tokenizer.bos_token_id], ids]), np.concatenate([[True], in_loss])


def other_targets(
    ids: np.ndarray[Any, Any], in_loss: np.ndarray[Any, Any], family: Family
) -> dict[int, int]:
    """Give the targets that are another token than the one that stands there, by position.

    MiniCPM's code asks for a second end token after each answer that is not the last.

    Args:
        ids: `(tokens,)`, frames expanded.
        in_loss: `(tokens,)`.
        family: of the model.
    """
    if family.name != "minicpm":
        return {}
    after = np.flatnonzero(in_loss[:-1] & ~in_loss[1:]) + 1
    return {int(at): int(ids[at - 1]) for at in after}


def _with_breaks(content: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    # The file holds "<image_00>\n<image_01>\nWhy?"; the program splits it at the tags and joins what
    # it gets, the lone line break between two tags included, by line breaks.
    out: list[dict[str, Any]] = []
    for before, part in pairwise([None, *content]):
        kinds = [one["type"] for one in (before, part) if one]
        if len(kinds) == 2 and "image" in kinds:
            out.append({"type": "text", "text": "\n\n\n" if kinds[0] == kinds[1] else "\n\n"})
        out.append(dict(part or {}))
    return out
