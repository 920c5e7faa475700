"""The tokens of a row cut into runs that a reader can follow: frames, targets of the loss, the rest.

>>> from t2vid.models.tiny import tiny_idefics3
>>> tokenizer = tiny_idefics3(["Why? So."])[1].tokenizer
>>> ids = tokenizer(" Why? So.")["input_ids"]
>>> in_loss = [False, False, *([True] * (len(ids) - 2))]
>>> [run.kind for run in token_runs(ids, in_loss, tokenizer, image_token_id=-1)]
['seen', 'loss']
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Any, Literal, NamedTuple


class TokenRun(NamedTuple):
    """Tokens one after another of one kind.

    Attributes:
        kind: `"frame"`, `"loss"` (a target of the loss) or `"seen"` (read, not learned).
        text: the tokens as text; of a frame its name.
        n_tokens: number of tokens.
    """

    kind: Literal["frame", "loss", "seen"]
    text: str
    n_tokens: int


def token_runs(
    ids: Sequence[int],
    in_loss: Sequence[bool],
    tokenizer: Any,
    *,
    image_token_id: int,
    frame: Sequence[int] = (),
) -> list[TokenRun]:
    """Cut a row into runs, each frame one of its own.

    Args:
        ids: token ids.
        in_loss: whether each is a target.
        tokenizer: which reads them.
        image_token_id: of the tokens that a frame's features replace.
        frame: the tokens that one frame becomes, its marks included; none where sizes differ: then
            frame tokens that follow one another are one frame.
    """
    ids, whole = list(map(int, ids)), list(map(int, frame))
    kinds: list[tuple[Literal["frame", "loss", "seen"], int]] = []
    at, number = 0, 0
    while at < len(ids):
        found = bool(whole) and ids[at : at + len(whole)] == whole
        n = len(whole) if found else 1
        if found or ids[at] == image_token_id:
            number += found or at == 0 or ids[at - 1] != ids[at]
            kinds += [("frame", number)] * n
        else:
            kinds.append(("loss" if in_loss[at] else "seen", 0))
        at += n
    out, at = [], 0
    for (kind, number), group in groupby(kinds):
        n = len(list(group))
        text = f"frame {number}" if kind == "frame" else tokenizer.decode(ids[at : at + n])
        out.append(TokenRun(kind, text, n))
        at += n
    return out
