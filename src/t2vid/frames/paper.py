"""The paper's layout: word tokens, 115 to a frame, one centred block, damage to the text included.

>>> word_tokens('He said "no" and did not\\nwait.')
['He', 'said', '``', 'no', "''", 'and', 'did', 'not', 'wait', '.']

Source: T2Vid, `utils/text-to-images/t2vid.py`, which calls NLTK's `word_tokenize`. Here the Penn
Treebank rules behind that function are stated again, so that no data files are needed; only the
sentence boundaries, a trained model in NLTK, are a rule with a list of abbreviations.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from t2vid.frames.fonts import load_font

if TYPE_CHECKING:
    from t2vid.frames.spec import RenderSpec

_RULES = [
    # quotes that open
    (r"[«“‘„]|`+", r" \g<0> "),
    (r'^"', "``"),
    (r"``", r" \g<0> "),
    (r"([ (\[{<])(?:\"|'')", r"\1 `` "),
    (r"(?i)(?<!\w)'(?!(?:re|ve|ll|m|t|s|d|n)\b)(?=\w)", "' "),
    # punctuation; the first rule is the period that ends the sentence
    (r"([^.])\.([\])}>\"' »”’]*)$", r"\1 . \2 "),
    (r"([:,])(\D)", r" \1 \2"),
    (r"[:,]$", r" \g<0> "),
    (r"\.{2,}|[;@#$%&]|[\u2012-\u2015]", r" \g<0> "),
    (r"([^.])\.([\])}>\"']*)\s*$", r"\1 .\2 "),
    (r"[?!]", r" \g<0> "),
    (r"([^'])' ", r"\1 ' "),
    (r"[*]|[\]\[(){}<>]|--", r" \g<0> "),
]
_RULES_PADDED = [
    # quotes that close, then clitics and contractions
    (r"[»”’]", r" \g<0> "),
    (r"''|\"", " '' "),
    (r"\s+", " "),
    (r"([^' ])('[sS]|'[mM]|'[dD]|') ", r"\1 \2 "),
    (r"([^' ])('ll|'LL|'re|'RE|'ve|'VE|n't|N'T) ", r"\1 \2 "),
    (r"(?i)\b(can)(not)\b", r" \1 \2 "),
    (r"(?i)\b(d)('ye)\b", r" \1 \2 "),
    (r"(?i)\b(gim|lem)(me)\b", r" \1 \2 "),
    (r"(?i)\b(gon|wan(?=na\s))(na)\b", r" \1 \2 "),
    (r"(?i)\b(got)(ta)\b", r" \1 \2 "),
    (r"(?i)\b(more)('n)\b", r" \1 \2 "),
    (r"(?i) ('t)(is|was)\b", r" \1 \2 "),
]
_BEFORE = [(re.compile(pattern), to) for pattern, to in _RULES]
_AFTER = [(re.compile(pattern), to) for pattern, to in _RULES_PADDED]

_SENTENCE_END = re.compile(r"[.?!][\"'”’)\]}»]*(?=\s)")
_LAST_WORD = re.compile(r"[^\s(\[\"'“‘-]*$")
_ABBREVIATIONS = frozenset(
    "adm apr aug ave bros ca capt cf cmdr co col corp dec dr e.g est et feb fig gen gov i.e inc "
    "jan jr jul jun lt ltd maj mar messrs mr mrs ms mt no nov oct op p pp ph.d prof rep rev sen "
    "sep sept sgt sr st u.k u.n u.s viz vol vs a.m p.m".split()
)


def sentences(text: str) -> list[str]:
    """Split a text after `?`, `!`, or a period that follows no abbreviation or initial."""
    cuts = [0]
    for match in _SENTENCE_END.finditer(text):
        if match.group()[0] == ".":
            # 40 characters hold every abbreviation; an unbounded search back would be quadratic
            found = _LAST_WORD.search(text, max(cuts[-1], match.start() - 40), match.start())
            last = found.group() if found else ""
            initial = len(last) == 1 and last.isalpha() and last.isupper()
            if initial or last.lower() in _ABBREVIATIONS or last.endswith("."):
                continue
        cuts.append(match.end())
    cuts.append(len(text))
    parts = [text[a:b].strip() for a, b in zip(cuts, cuts[1:], strict=False)]
    return [part for part in parts if part]


def word_tokens(text: str) -> list[str]:
    """Give the word tokens that the paper counts, quotes and contractions respelled."""
    out: list[str] = []
    for sentence in sentences(text):
        for pattern, to in _BEFORE:
            sentence = pattern.sub(to, sentence)
        sentence = f" {sentence} "
        for pattern, to in _AFTER:
            sentence = pattern.sub(to, sentence)
        out.extend(sentence.split())
    return out


def align(text: str, tokens: list[str]) -> list[int]:
    """Find where each token begins in the text that it was cut from.

    Tokens differ from the text by blanks and by the spelling of quotes only, so one pass suffices.
    """
    starts, at, n = [], 0, len(text)
    for token in tokens:
        while at < n and text[at].isspace():
            at += 1
        starts.append(at)
        if token in ("``", "''") and not text.startswith(token, at):
            at += 2 if text.startswith("''", at) else 1
        else:
            at += len(token)
    return starts


def pages(text: str, words_per_frame: int) -> list[tuple[int, int, str]]:
    """Cut a text into `(start, end, tokens joined by blanks)`; the spans rebuild the text."""
    tokens = word_tokens(text)
    starts = align(text, tokens)
    out = []
    for i in range(0, len(tokens), words_per_frame):
        start = starts[i] if i else 0
        end = starts[i + words_per_frame] if i + words_per_frame < len(tokens) else len(text)
        out.append((start, end, " ".join(tokens[i : i + words_per_frame])))
    return out


class Word(NamedTuple):
    """A word as Pillow's BASIC layout draws it.

    Attributes:
        width_px: of the word and a blank, as the paper measures it.
        advance_px: how far the pen moves over the word alone.
        coverage: `(height, width)`, 255 where the ink is full.
        left_px: from the pen to the coverage.
        top_px: from the line's top to the coverage.
    """

    width_px: int
    advance_px: int
    coverage: NDArray[np.uint8]
    left_px: int
    top_px: int


def wrap(text: str, spec: RenderSpec) -> list[str]:
    """Fill lines greedily by summed widths; a first word that is too wide leaves an empty line."""
    words = _words(spec.font, spec.font_px)
    room = spec.width - 2 * spec.margin_px
    lines, line, used = [], "", 0
    for word in text.split(" "):
        width = words(word).width_px
        if used + width <= room:
            line, used = f"{line}{word} ", used + width
        else:
            lines.append(line)
            line, used = f"{word} ", width
    return [*lines, line]


def draw(text: str, spec: RenderSpec) -> Image.Image:
    """Draw one frame of tokens: lines centred as a block, each as high as its own ink and no more.

    Equal to Pillow's BASIC layout pixel by pixel, from cached words: hinted advances and kerning are
    whole pixels, so a word looks the same wherever it stands.
    """
    lines = wrap(text, spec)
    words = _words(spec.font, spec.font_px)
    steps = [words.line_px(line) for line in lines]
    canvas = np.full((spec.height, spec.width), 255, np.uint8)
    y = (spec.height - sum(steps)) // 2
    for line, step in zip(lines, steps, strict=True):
        x, before = spec.margin_px, ""
        for word in line.split(" "):
            if before:
                x += words.blank_px + words.kerning(before[-1:], " ") + words.kerning(" ", word[:1])
            if word:
                drawn = words(word)
                _lay(canvas, drawn, x + drawn.left_px, y + drawn.top_px)
                x += drawn.advance_px
            before = word or " "
        y += step
    return Image.fromarray(canvas)


def _lay(canvas: NDArray[np.uint8], word: Word, left: int, top: int) -> None:
    """Put a word on the canvas, cut at its edges."""
    rows, columns = canvas.shape
    up, over = max(0, -top), max(0, -left)
    part = word.coverage[up : max(up, rows - top), over : max(over, columns - left)]
    if part.size:
        here = canvas[
            top + up : top + up + part.shape[0], left + over : left + over + part.shape[1]
        ]
        if here.min() == 255:
            np.subtract(255, part, out=here)
        else:  # Pillow's blend of black over what is there
            mixed = here.astype(np.uint32) * (255 - part) + 128
            here[:] = (mixed + (mixed >> 8)) >> 8


class _Words:
    """Words of one font, drawn once."""

    def __init__(self, font: str, font_px: int) -> None:
        self.font = load_font(font, font_px)
        self._known: dict[str, Word] = {}
        self._pairs: dict[str, int] = {}
        self.blank_px = round(self.font.getlength(" "))

    def __call__(self, word: str) -> Word:
        found = self._known.get(word)
        if found is None:
            if len(self._known) > 50_000:
                self._known.clear()
            found = self._known[word] = self._make(word)
        return found

    def line_px(self, line: str) -> int:
        """Give `getbbox(line)[3]`: where the lowest ink of a line ends."""
        drawn = [self(word) for word in line.split(" ") if word]
        return max((word.top_px + len(word.coverage) for word in drawn), default=0)

    def kerning(self, first: str, second: str) -> int:
        """Give the pixels by which two characters stand closer together."""
        pair = first + second
        if len(pair) < 2:
            return 0
        if pair not in self._pairs:
            apart = self.font.getlength(first) + self.font.getlength(second)
            self._pairs[pair] = round(self.font.getlength(pair) - apart)
        return self._pairs[pair]

    def _make(self, word: str) -> Word:
        mask, (left, top) = self.font.getmask2(word, "L", anchor="la")
        width, height = mask.size
        coverage = np.frombuffer(bytes(mask), np.uint8).reshape(height, width)
        measured = round(self.font.getbbox(word + " ")[2])
        return Word(measured, round(self.font.getlength(word)), coverage, left, top)


@lru_cache(maxsize=8)
def _words(font: str, font_px: int) -> _Words:
    return _Words(font, font_px)
