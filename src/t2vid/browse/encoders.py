"""What a model gets of a row: its tokens in runs, and which of them the loss counts.

>>> Encoders().names[0]
'minicpm (tiny stand-in)'
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

from PIL import Image

from t2vid import catalog
from t2vid.browse.browser import Browser
from t2vid.browse.frames import MAX_SHOWN
from t2vid.catalog import Family
from t2vid.errors import InputError, require
from t2vid.models.families import family_of, frame_px, load_processor, make_tiny
from t2vid.models.pixels import EncodedRow
from t2vid.models.rows import RowEncoder


class MaskRun(NamedTuple):
    """Tokens of a row one after another: what they say, whether the loss is on them, how many."""

    text: str
    kind: Literal["frames", "loss", "context"]
    n_tokens: int


class Encoders:
    """The row encoders by family, each made when it is first asked for.

    Args:
        processors: folders or Hub names; the tiny stand-ins by default.
    """

    def __init__(self, processors: Sequence[str] = ()) -> None:
        self._makers: dict[str, Callable[[], tuple[Any, Family]]] = {}
        for name in processors:
            self._makers[Path(name).name] = lambda name=name: _loaded(name)  # type: ignore[misc]
        for family in () if processors else catalog.PAPER_FAMILIES:
            self._makers[f"{family.name} (tiny stand-in)"] = lambda f=family: _tiny(f)  # type: ignore[misc]
        self._made: dict[tuple[str, str], RowEncoder] = {}
        self._lock = threading.Lock()

    @property
    def names(self) -> list[str]:
        """What can be asked for."""
        return list(self._makers)

    def get(self, name: str, loss_on: str) -> RowEncoder:
        """Give an encoder."""
        if name not in self._makers:
            raise InputError(f"family ({name!r}) must be one of {self.names}")
        with self._lock:
            if (name, loss_on) not in self._made:
                processor, family = self._makers[name]()
                encoder = RowEncoder(processor, family=family, loss_on=loss_on)  # type: ignore[arg-type]
                self._made[name, loss_on] = encoder
            return self._made[name, loss_on]


def mask_runs(encoder: RowEncoder, browser: Browser, position: int) -> list[MaskRun]:
    """Cut what a model gets of a row into runs: frames, what the loss is on, all else.

    Frames are blank here: their number and size decide the tokens, not what they show.
    """
    made = browser.show(position)
    seen = min(made.n_seen, MAX_SHOWN)
    size = (
        frame_px(encoder.processor) if encoder.direct else made.frames[0].size if seen else (1, 1)
    )
    row = browser.row_with(position, [Image.new("RGB", size)] * seen)
    encoded = encoder(row)
    frame = encoder.frame_ids(size) if seen else encoded.ids[:0]
    decode = encoder.processor.tokenizer.decode
    out: list[MaskRun] = []
    at, n = 0, len(encoded.ids)
    while at < n:
        end = at
        kind: Literal["frames", "loss", "context"] = "frames"
        while _frame_at(encoded, end, frame):
            end += len(frame)
        if end > at:
            text = f"{(end - at) // len(frame)} × frame"
        else:
            kind = "loss" if encoded.in_loss[at] else "context"
            while end < n and encoded.in_loss[end] == encoded.in_loss[at]:
                if _frame_at(encoded, end, frame):
                    break
                end += 1
            text = decode(encoded.ids[at:end])
        out.append(MaskRun(text, kind, end - at))
        at = end
    return out


def _frame_at(encoded: EncodedRow, at: int, frame: Any) -> bool:
    part = encoded.ids[at : at + len(frame)]
    return 0 < len(frame) == len(part) and bool((part == frame).all())


def _tiny(family: Family) -> tuple[Any, Family]:
    from t2vid import samples

    _, processor = make_tiny(family)([row["context"] for row in samples.texts()])
    return processor, family


def _loaded(name: str) -> tuple[Any, Family]:
    transformers = require("transformers", extra="train")
    config = transformers.AutoConfig.from_pretrained(name)
    return load_processor(name), family_of(config)
