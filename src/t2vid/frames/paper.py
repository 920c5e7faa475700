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
    from t2vid.frames.render_spec import RenderSpec

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

_CONTRACTED = frozenset("cannot gimme lemme gonna wanna gotta".split())
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
        chunks = sentence.split(" ")
        if chunks != sentence.split():
            out += _treebank(sentence)  # other blanks than single ones: the rules tell them apart
            continue
        last = len(chunks) - 1
        for i, chunk in enumerate(chunks):
            out += _chunk_tokens(chunk, i == 0, i == last)
    return out


@lru_cache(maxsize=50_000)
def _chunk_tokens(chunk: str, first: bool, last: bool) -> list[str]:
    """Tokenise what stands between two blanks; no rule looks further than that."""
    if chunk.isalpha() and chunk.isascii() and chunk.lower() not in _CONTRACTED:
        return [chunk]
    before, after = ("" if first else "x "), ("" if last else " x")
    tokens = _treebank(before + chunk + after)
    return tokens[0 if first else 1 : len(tokens) if last else -1]


def _treebank(sentence: str) -> list[str]:
    for pattern, to in _BEFORE:
        sentence = pattern.sub(to, sentence)
    sentence = f" {sentence} "
    for pattern, to in _AFTER:
        sentence = pattern.sub(to, sentence)
    return sentence.split()


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
        bottom_px: from the line's top to the end of the coverage.
    """

    width_px: int
    advance_px: int
    coverage: NDArray[np.uint8]
    left_px: int
    top_px: int
    bottom_px: int


def wrap(text: str, spec: RenderSpec) -> list[str]:
    """Fill lines greedily by summed widths; a first word that is too wide leaves an empty line."""
    lines = _wrapped(text, _words(spec.font, spec.font_px), spec.width - 2 * spec.margin_px)
    return ["".join(f"{word} " for word, _ in line) for line in lines]


def _wrapped(text: str, words: _Words, room_px: int) -> list[list[tuple[str, Word]]]:
    known = words.known
    lines: list[list[tuple[str, Word]]] = [[]]
    line, used = lines[0], 0
    for word in text.split(" "):
        drawn = known.get(word) or words(word)
        if used + drawn.width_px > room_px:
            line, used = [], 0
            lines.append(line)
        line.append((word, drawn))
        used += drawn.width_px
    return lines


def draw(text: str, spec: RenderSpec) -> Image.Image:
    """Draw one frame of tokens: lines centred as a block, each as high as its own ink and no more.

    Equal to Pillow's BASIC layout pixel by pixel, from cached words: hinted advances and kerning are
    whole pixels, so a word looks the same wherever it stands.
    """
    words = _words(spec.font, spec.font_px)
    lines = _wrapped(text, words, spec.width - 2 * spec.margin_px)
    steps = [max((word.bottom_px for _, word in line), default=0) for line in lines]
    canvas = np.full((spec.height, spec.width), 255, np.uint8)
    y = (spec.height - sum(steps)) // 2
    for line, step in zip(lines, steps, strict=True):
        if line and not _lay_strips(canvas, words, line, y, spec.margin_px):
            _lay_words(canvas, words, line, y, spec.margin_px)
        y += step
    return Image.fromarray(canvas)


def _lay_strips(
    canvas: NDArray[np.uint8], words: _Words, line: list[tuple[str, Word]], top: int, left: int
) -> bool:
    """Put a line on the canvas in one go, where no ink leaves its word or the canvas."""
    if top < 0 or top + words.box_px > canvas.shape[0]:
        return False
    known, before, width, strips = words.strips, "", left, []
    for word, _ in line:
        key = (before, word)
        strip = known[key] if key in known else words.strip(before, word)
        if strip is None:
            return False
        strips.append(strip)
        width += strip.shape[1]
        before = word[-1:]
    if width > canvas.shape[1]:
        return False
    # What the box holds below the line's own ink is white, and the next line goes over it.
    np.concatenate(strips, axis=1, out=canvas[top : top + words.box_px, left:width])
    return True


def _lay_words(
    canvas: NDArray[np.uint8], words: _Words, line: list[tuple[str, Word]], top: int, left: int
) -> None:
    before = ""
    for word, drawn in line:
        left += words.gap_px(before, word)
        _lay(canvas, drawn, left + drawn.left_px, top + drawn.top_px)
        left += drawn.advance_px
        before = word[-1:]


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
        self.known: dict[str, Word] = {}
        self._pairs: dict[str, int] = {}
        self.strips: dict[tuple[str, str], NDArray[np.uint8] | None] = {}
        self.blank_px = round(self.font.getlength(" "))
        self.box_px = sum(self.font.getmetrics())

    def __call__(self, word: str) -> Word:
        found = self.known.get(word)
        if found is None:
            if len(self.known) > 50_000:
                self.known.clear()
            found = self.known[word] = self._make(word)
        return found

    def gap_px(self, before: str, word: str) -> int:
        """Give the pixels between a character and the word after it."""
        if not before:
            return 0
        return self.blank_px + self.kerning(before, " ") + self.kerning(" ", word[:1])

    def strip(self, before: str, word: str) -> NDArray[np.uint8] | None:
        """Give a word with the gap before it as gray rows; None where its ink leaves that box."""
        if len(self.strips) > 20_000:
            self.strips.clear()
        # A last letter may lean over its advance; its strip is so much wider, the next one narrower.
        gap = self.gap_px(before, word) - self._over_px(before)
        found = self.strips[before, word] = self._box(self(word), gap, self._over_px(word[-1:]))
        return found

    def _over_px(self, char: str) -> int:
        if not char:
            return 0
        drawn = self(char)
        return max(0, drawn.left_px + int(drawn.coverage.shape[1]) - drawn.advance_px)

    def _box(self, word: Word, gap: int, over: int) -> NDArray[np.uint8] | None:
        rows, columns = word.coverage.shape
        left, width = gap + word.left_px, gap + word.advance_px + over
        if left < 0 or left + columns > width or not 0 <= word.top_px <= self.box_px - rows:
            return None
        box = np.full((self.box_px, width), 255, np.uint8)
        here = box[word.top_px : word.top_px + rows, left : left + columns]
        np.subtract(255, word.coverage, out=here)
        return box

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
        advance = round(self.font.getlength(word))
        return Word(measured, advance, coverage, left, top, top + height)


@lru_cache(maxsize=8)
def _words(font: str, font_px: int) -> _Words:
    return _Words(font, font_px)
