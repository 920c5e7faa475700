"""The paper's layout: word tokens, 115 to a frame, one centred block, damage to the text included.

>>> word_tokens('He said "no" and did not\\nwait.')
['He', 'said', '``', 'no', "''", 'and', 'did', 'not', 'wait', '.']

Source: T2Vid, `utils/text-to-images/t2vid.py`, which calls NLTK's `word_tokenize`. Here the Penn
Treebank rules behind that function are stated again, so that no data files are needed; only the
sentence boundaries, a trained model in NLTK, are a rule with a list of abbreviations.
"""

from __future__ import annotations

import re
from typing import Any

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


def wrap(text: str, font: Any, width_px: int) -> list[str]:
    """Fill lines greedily by summed widths; a first word that is too wide leaves an empty line."""
    lines, line, used = [], "", 0
    for word in text.split(" "):
        width = font.getbbox(word + " ")[2]
        if used + width <= width_px:
            line, used = f"{line}{word} ", used + width
        else:
            lines.append(line)
            line, used = f"{word} ", width
    return [*lines, line]
