"""What a model gets of a row: its tokens in runs, and which of them the loss counts.

>>> Encoders().names[0]
'minicpm (tiny stand-in)'
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from PIL import Image

from t2vid import catalog
from t2vid.browse.browser import Browser
from t2vid.browse.frames import MAX_SHOWN
from t2vid.catalog import Family
from t2vid.errors import InputError, require
from t2vid.models.families import family_of, frame_px, load_processor, make_tiny
from t2vid.models.rows import RowEncoder
from t2vid.models.token_runs import TokenRun, token_runs
from t2vid.targets import loading


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


def mask_runs(encoder: RowEncoder, browser: Browser, position: int) -> list[TokenRun]:
    """Cut what a model gets of a row into runs: frames, what the loss is on, all else.

    Frames are blank here: their number and size decide the tokens, not what they show.
    """
    made = browser.show(position)
    if made.failed:
        raise InputError("without its frames this row has no prompt and no mask")
    seen = min(made.n_seen, MAX_SHOWN)
    size = (
        frame_px(encoder.processor) if encoder.direct else made.frames[0].size if seen else (1, 1)
    )
    row = browser.row_with(position, [Image.new("RGB", size)] * seen)
    encoded = encoder(row)
    frame = encoder.frame_ids(size) if seen else encoded.ids[:0]
    runs = token_runs(
        encoded.ids.tolist(),
        encoded.in_loss.tolist(),
        encoder.processor.tokenizer,
        image_token_id=encoder.image_token_id,
        frame=frame.tolist(),
    )
    out: list[TokenRun] = []
    for kind, group in groupby(runs, key=lambda run: run.kind):
        held = list(group)
        n = sum(run.n_tokens for run in held)
        out += [TokenRun(kind, f"{len(held)} × frame", n)] if kind == "frame" else held
    return out


def _tiny(family: Family) -> tuple[Any, Family]:
    from t2vid import samples

    _, processor = make_tiny(family)([row["context"] for row in samples.texts()])
    return processor, family


def _loaded(name: str) -> tuple[Any, Family]:
    transformers = require("transformers", extra="train")
    with loading(name, "model"):
        config = transformers.AutoConfig.from_pretrained(name)
    return load_processor(name), family_of(config)
