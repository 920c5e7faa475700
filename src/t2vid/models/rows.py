"""A row turned into what a model takes: token ids with frames expanded, loss mask, pixels.

>>> from t2vid.models.tiny import tiny_idefics3
>>> model, processor = tiny_idefics3(["Why? So."])
>>> encode = RowEncoder(processor, family="idefics3")
>>> row = encode({"prompt": "Why?", "completion": "So."})
>>> processor.tokenizer.decode([t for t, keep in zip(row.ids, row.in_loss) if keep])
' So.<end_of_utterance>'
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np

from t2vid.catalog import Family
from t2vid.corpora.layouts import read_row
from t2vid.corpora.placing import MEDIA_COLUMNS, Turn
from t2vid.errors import BudgetError, InputError, pluralize
from t2vid.frames.feature import Frames, at_size
from t2vid.models import paper_batch
from t2vid.models.families import decode_px, family_of, frame_px
from t2vid.models.pixels import EncodedRow, put_pixels
from t2vid.models.prompts import tokenise, training_template
from t2vid.models.showing import Shown, count_frames, show, written

LossOn = Literal["answer", "conversation"]


class RowTooLong(BudgetError):
    """A row that needs more tokens than `max_length`.

    Attributes:
        frames_that_fit: how many of its frames leave room for its text; below 1 where none does.
    """

    def __init__(self, message: str, *, frames_that_fit: int = 0) -> None:
        super().__init__(message)
        self.frames_that_fit = frames_that_fit


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
        layout: of the rows, by name; None finds it by each row's keys.
        folder: where relative paths of media start.
        prompt_in_loss: with `loss_on="conversation"`, count the prompt of a prompt-completion row
            too (TRL's `completion_only_loss=False`).
        compat: `"t2vid-paper"` makes the batches of the paper's training code (Idefics3, MiniCPM),
            in place of `loss_on`.
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
        layout: str | None = None,
        folder: str | None = None,
        prompt_in_loss: bool = False,
        compat: str = "",
    ) -> None:
        if loss_on not in ("answer", "conversation"):
            raise InputError(f'loss_on ({loss_on!r}) must be "answer" or "conversation"')
        if not processor.tokenizer.is_fast:
            raise InputError(
                f"{type(processor.tokenizer).__name__} gives no offsets; use a fast one"
            )
        self.processor = processor
        self.family = family if isinstance(family, Family) else family_of(family)
        self.compat = paper_batch.checked(compat, self.family)
        self.loss_on = paper_batch.LOSS_ON[self.family.name] if compat else loss_on
        self.max_length = max_length
        self.max_frames = max_frames
        self.direct = pixels == "direct" and self.family.pixels != "processor"
        self.reader = reader or Frames()
        self.layout = layout
        self.folder = folder
        self.prompt_in_loss = prompt_in_loss
        self.template = chat_template or training_template(processor)
        if compat:
            self.template = paper_batch.template_of_paper(self.template, self.family)
        self.image_token = str(processor.image_token)
        self.image_token_id = int(processor.tokenizer.convert_tokens_to_ids(self.image_token))
        self._frame_ids: dict[tuple[int, int], np.ndarray[Any, Any]] = {}

    def __call__(
        self, row: Mapping[str, Any], *, prompt_only: bool = False, limit: int | None = None
    ) -> EncodedRow:
        """Encode one row.

        Args:
            row: of any layout that `t2vid.corpora.layouts` knows; its media are images, what a
                `Frames` column stores (then drawn or decoded here within the row's own budget), or
                paths, URLs or bytes.
            prompt_only: stop before the last answer, with the cue that asks the model for it.
            limit: frames shown, in place of `max_frames`.

        Raises:
            RowTooLong: when the row needs more than `max_length` tokens.
            LayoutError: when the row fits no layout, or its places do not match its media.
            InputError: when nothing of the row would be in the loss.
        """
        read = read_row(row, layout=self.layout, answered=not prompt_only)
        turns = read.turns
        if prompt_only and turns and turns[-1].role == "assistant":
            turns = turns[:-1]
        shown = show(
            read.media,
            reader=self.reader,
            limit=limit or self.budget(read.source),
            size=self._sized,
            folder=self.folder,
        )
        frames = [frame for one in shown for frame in one.frames]
        ids, in_loss = self._tokens(turns, shown, read.layout, prompt_only=prompt_only)
        n_words = len(ids) - len(frames)
        ids, in_loss, is_frame = self._expand(ids, in_loss, frames, name=read.id)
        encoded = EncodedRow(read.id, read.source, ids, in_loss, is_frame, n_frames=len(frames))
        if self.compat:
            encoded.targets = paper_batch.other_targets(ids, in_loss, self.family)
        self._check(encoded, n_words, prompt_only=prompt_only)
        return put_pixels(encoded, frames, self.processor, self.family, direct=self.direct)

    def n_tokens(self, row: Mapping[str, Any], *, n_frames: int | None = None) -> int:
        """Count the tokens of a row without drawing or decoding a frame.

        Args:
            row: as for a call; its media are not looked at where `n_frames` says how many frames
                they give.
            n_frames: number of frames the row has before the budget; None counts them.
        """
        if n_frames is not None:
            # One sequence of so many frames stands for whatever the row shows.
            row = {key: value for key, value in row.items() if key not in MEDIA_COLUMNS}
            row["images"] = {"text": None, "path": None, "bytes": None, "spec": None}
            if not n_frames:
                del row["images"]
        read = read_row(row, layout=self.layout)
        if n_frames is None:
            n_frames = count_frames(read.media, reader=self.reader, folder=self.folder)
        budget = self.budget(read.source)
        n = n_frames if budget is None else min(n_frames, budget)
        stand_in = [Shown([None] * n, n)] + [Shown([], 0)] * (len(read.media) - 1)
        ids, _ = self._tokens(read.turns, stand_in, read.layout, prompt_only=False)
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

    def _sized(self, stored: dict[str, Any]) -> dict[str, Any]:
        return at_size(stored, decode_px(self.processor)) if self.direct else stored

    def _tokens(
        self, turns: Sequence[Turn], shown: Sequence[Shown], layout: str, *, prompt_only: bool
    ) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
        messages = written(turns, shown)
        if self.compat:
            messages = paper_batch.written_as_in_paper(messages, self.family)
        ids, answers = tokenise(self.processor, self.template, messages, cue=prompt_only)
        said = [turn for turn in turns if turn.role == "assistant"]
        weighed = any(turn.weight is not None for turn in said)
        if weighed and len(said) != len(answers):
            raise InputError(
                f"the chat template marks {len(answers)} of {len(said)} answers, so the weights of "
                "turns cannot be followed; pass chat_template= that marks each of them"
            )
        if self.loss_on == "conversation" and layout == "prompt-completion" and self.prompt_in_loss:
            return ids, np.ones(len(ids), dtype=bool)
        in_loss = np.full(len(ids), self.loss_on == "conversation")
        for turn, answer in zip(said, answers, strict=weighed):
            if not turn.trained:
                in_loss &= ~answer
            elif self.loss_on == "answer":
                in_loss |= answer
        if self.loss_on == "conversation" and layout == "prompt-completion":
            learned = [a for turn, a in zip(said, answers, strict=weighed) if turn.trained]
            in_loss[: int(np.argmax(learned[0])) if learned else None] = False
        if self.compat:
            return paper_batch.tokens_of_paper(ids, in_loss, self.processor, self.family)
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

    def _check(self, row: EncodedRow, n_words: int, *, prompt_only: bool) -> None:
        need = len(row.ids)
        if self.max_length is not None and need > self.max_length:
            # With its marks: Idefics3 writes some around each frame.
            per_frame = (need - n_words) // row.n_frames if row.n_frames else 0
            raise RowTooLong(
                f"sample {row.id!r} needs {need:,} tokens ({row.n_frames} frames x {per_frame} + "
                f"{n_words:,} text) but max_length={self.max_length:,}, so its answer would be cut; "
                'raise max_length, lower max_frames, or set on_long="fewer_frames" or "skip"',
                frames_that_fit=(self.max_length - n_words) // per_frame if per_frame else 0,
            )
        # The first token is nobody's target: targets are shifted by one.
        if not prompt_only and not row.in_loss[1:].any():
            raise InputError(
                f"sample {row.id!r} has no token in the loss: it has no assistant turn, or the "
                "chat template marks none by {% generation %}"
            )
