"""What a row costs in tokens and frames, and whether it fits; from counts alone, before any pixel.

>>> budget = Budget.preset("minicpm")
>>> budget.over(Cost(n_frames=85, text_tokens=32, question_words=12))
''
>>> budget.over(Cost(n_frames=86, text_tokens=0, question_words=12))
'over max_tokens'
>>> budget.frames_that_fit(text_tokens=512)
80
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from t2vid import catalog
from t2vid.configuration import FrozenConfig, check_kinds
from t2vid.errors import BudgetError, InputError, require
from t2vid.targets import loading

Policy = Literal["drop", "fewer_frames", "denser_text", "split", "error"]
POLICIES = ("drop", "fewer_frames", "denser_text", "split", "error")

# The marker that stands for all frames of a row where the paper counts words and tokens.
VIDEO = "<video>\n"


@dataclass(frozen=True)
class Cost:
    """What a row costs.

    Args:
        n_frames: its frames.
        text_tokens: tokens of all its turns.
        question_words: words of its first turn, by the paper's count.
    """

    n_frames: int
    text_tokens: int
    question_words: int = 0


@dataclass(frozen=True)
class Budget(FrozenConfig):
    """What a row may cost; None is no limit. Every limit is the largest number that still fits.

    Args:
        family: `"minicpm"`, `"idefics3"` or `"internvl"`, which gives `tokens_per_frame`; or a
            processor of `transformers`, which is asked for it (see `tokens_of_a_frame`).
        tokens_per_frame: visual tokens of one frame; see `Budget.of` to ask a processor.
        max_tokens: text tokens plus visual tokens.
        max_frames: frames.
        max_question_words: words of the question, one number or one by name of a source.
        tokenizer: name or folder of the tokenizer that counts text tokens; None estimates them.

    Raises:
        InputError: for a limit out of range or an unknown family.
    """

    family: Any = None
    max_tokens: int | None = None
    max_frames: int | None = None
    max_question_words: int | Mapping[str, int] | None = None
    tokens_per_frame: int = 0
    tokenizer: str | None = None

    def __post_init__(self) -> None:
        """Check the limits and fill in the tokens of a frame."""
        if self.family is not None and not isinstance(self.family, str):
            tokens = self.tokens_per_frame or tokens_of_a_frame(self.family)
            object.__setattr__(self, "tokens_per_frame", tokens)
            object.__setattr__(self, "family", None)
        if self.family is not None:
            family = catalog.paper_family(self.family)
            object.__setattr__(self, "family", family.name)
            tokens = self.tokens_per_frame or family.tokens_per_frame
            object.__setattr__(self, "tokens_per_frame", tokens)
        check_kinds(self, of="budget")
        if self.max_tokens is not None and self.tokens_per_frame < 1:
            raise InputError(
                f"max_tokens ({self.max_tokens:,}) needs family or tokens_per_frame, to know what a "
                "frame costs"
            )
        for name in ("max_tokens", "max_frames"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise InputError(f"{name} ({value}) must be > 0, or None for no limit")
        if self.tokens_per_frame < 0:
            raise InputError(f"tokens_per_frame ({self.tokens_per_frame}) must not be negative")

    @classmethod
    def preset(cls, name: str, **changes: Any) -> Budget:
        """Give a budget by name: the paper's filters, with fields changed where named.

        Args:
            name: a budget of `t2vid list presets`.
            **changes: fields to set otherwise, e.g. `tokenizer="…"`.

        Raises:
            InputError: for an unknown name.
        """
        return cls(**{**catalog.preset("budget", name).values, **changes})

    @classmethod
    def of(cls, processor: Any, *, size: tuple[int, int] = (448, 448), **limits: Any) -> Budget:
        """Give a budget whose frame costs what `processor` says it costs, delimiters included.

        Args:
            processor: a processor of `transformers` for images and text.
            size: width and height of a frame in pixels.
            **limits: the other fields.
        """
        return cls(tokens_per_frame=tokens_of_a_frame(processor, size=size), **limits)

    def tokens(self, cost: Cost) -> int:
        """Give the tokens of a row: text plus frames."""
        return cost.text_tokens + self.tokens_per_frame * cost.n_frames

    def over(self, cost: Cost, *, source: str = "") -> str:
        """Give the name of the first limit that a row exceeds, in the paper's order; "" if it fits."""
        if self.max_frames is not None and cost.n_frames > self.max_frames:
            return "over max_frames"
        words = self.question_limit(source)
        if words is not None and cost.question_words > words:
            return "over max_question_words"
        if self.max_tokens is not None and self.tokens(cost) > self.max_tokens:
            return "over max_tokens"
        return ""

    def question_limit(self, source: str) -> int | None:
        """Give the limit of question words that holds for a source."""
        limit = self.max_question_words
        return limit.get(source) if isinstance(limit, Mapping) else limit

    def frames_that_fit(self, *, text_tokens: int) -> int | None:
        """Give how many frames fit beside so many text tokens; None is any number."""
        rooms = [self.max_frames] if self.max_frames is not None else []
        if self.max_tokens is not None:
            rooms.append(max(0, (self.max_tokens - text_tokens) // self.tokens_per_frame))
        return min(rooms, default=None)

    def error(self, row_id: str, cost: Cost, reason: str) -> BudgetError:
        """Give the error of a row that is over, with its numbers and the next move."""
        limit = reason.removeprefix("over ")
        if limit == "max_question_words":
            return BudgetError(f"sample {row_id!r} asks in {cost.question_words:,} words; {reason}")
        return BudgetError(
            f"sample {row_id!r} needs {self.tokens(cost):,} tokens ({cost.n_frames} frames x "
            f"{self.tokens_per_frame} + {cost.text_tokens:,} text) but {limit}="
            f'{getattr(self, limit):,}; use over_budget="fewer_frames"'
        )


def conversation_text(turns: Sequence[tuple[str, str]], *, has_frames: bool) -> str:
    """Give the text whose tokens the paper counts: the turns, one a line, the video marker first.

    Args:
        turns: `(role, text)` pairs.
        has_frames: whether frames stand before the first turn.
    """
    return (VIDEO if has_frames else "") + "\n".join(text for _, text in turns)


def question_words(question: str) -> int:
    r"""Count the words of a question as the paper does: pieces between single blanks, marker included.

    >>> question_words("What is it?"), question_words("What  is\nit?")
    (3, 3)
    """
    return (VIDEO + question).count(" ") + 1


def tokens_of_a_frame(processor: Any, *, size: tuple[int, int] = (448, 448)) -> int:
    """Ask a processor how many tokens one more frame adds, by giving it two and three of them.

    Not one: some processors cut a lone image into tiles.

    Args:
        processor: a processor of `transformers` for images and text.
        size: width and height of a frame in pixels.

    Raises:
        InputError: when the processor takes no images.
    """
    from PIL import Image

    mark = getattr(processor, "image_token", None)
    if mark is None:
        raise InputError(f"{type(processor).__name__} has no image_token; give tokens_per_frame")
    mark, image = str(mark), Image.new("RGB", size)

    def tokens(n: int) -> int:
        # one conversation with n images
        ids = processor(text=[mark * n], images=[[image] * n])["input_ids"]
        return len(ids[0])

    return tokens(3) - tokens(2)


_PIECES = re.compile(r"[A-Za-z]+|\d{1,3}|[^\W\d_]+|[^\w\s]{1,3}|\n+|_+")


def estimated_tokens(text: str) -> int:
    """Estimate the tokens of a text for vocabularies of 100,000 and more, without a tokenizer.

    A Latin word is one token and one more for every ten letters, three digits or marks are one,
    other scripts are one for every four bytes. Meant to err on the high side.
    """
    total = 0
    for piece in _PIECES.findall(text):
        if piece.isascii():
            total += 1 + len(piece) // 10
        else:
            total += 1 + len(piece.encode("utf-8", "replace")) // 4
    return total


class TokenCounter:
    """Counts tokens of many texts at once.

    Args:
        tokenizer: name or folder for `AutoTokenizer`, a tokenizer object, or None to estimate.

    Attributes:
        name: says how it counts; changes with the tokenizer.
    """

    def __init__(self, tokenizer: Any = None) -> None:
        self._tokenizer: Any = None
        self.name = "estimate"
        if tokenizer is None:
            return
        if isinstance(tokenizer, str):
            transformers = require("transformers", extra="train")
            with loading(tokenizer, "tokenizer"):
                tokenizer = transformers.AutoTokenizer.from_pretrained(tokenizer)
        self._tokenizer = tokenizer
        self.name = f"{type(tokenizer).__name__}-{_vocabulary_hash(tokenizer)}"

    def __call__(self, texts: Iterable[str]) -> list[int]:
        """Give the number of tokens of each text, special tokens included."""
        texts = list(texts)
        if self._tokenizer is None:
            return [estimated_tokens(text) for text in texts]
        return [len(ids) for ids in self._tokenizer(texts, verbose=False)["input_ids"]]


def _vocabulary_hash(tokenizer: Any) -> str:
    import hashlib

    backend = getattr(tokenizer, "backend_tokenizer", None)
    state = backend.to_str() if backend is not None else repr(sorted(tokenizer.get_vocab().items()))
    return hashlib.sha256(state.encode()).hexdigest()[:16]
