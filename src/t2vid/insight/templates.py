"""Which instructions are one template: the same words once numbers, quotes and names are masked.

>>> template_of("In clip 12, what does Anna say about “the bridge”?")
'in clip #, what does @ say about …?'
>>> template_of("片段３：描述视频。") == template_of("片段十二：描述视频。")
True
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from functools import lru_cache

TOP_TEMPLATES = 10
NUMBER, QUOTE, NAME = "#", "…", "@"

_QUOTES = re.compile(
    r"\"[^\"\n]+\"|“[^”\n]+”|„[^“”\n]+[“”]|«[^»\n]+»|‹[^›\n]+›|‘[^’\n]+’(?!\w)|「[^」\n]+」|『[^』\n]+』"
    r"|`[^`\n]+`|(?<!\w)'[^'\n]+'(?!\w)"
)
# A digit of any script with the ASCII letters that it is written together with: 12, 3rd, clip_07,
# 1,234.5, 10:30. Letters of other scripts stay, since Chinese or Thai has no space before them.
_NUMBERS = re.compile(r"[A-Za-z_]*\d(?:[A-Za-z0-9_]|\d|[.,:/٫٬’'-](?=\d))*")
# A capital within a sentence: Anna, New York, the MIT. The first word of a sentence is no evidence.
_NAMES = re.compile(
    r"(?<=[^\W\d_] )(?<![.!?:] )[^\W\d_a-z][\w’'-]*(?: (?:of |the |de |van |von )?[^\W\d_a-z][\w’'-]*)*"
)
# German writes every noun with a capital; a sentence with one of these keeps them.
_GERMAN = re.compile(
    r"\b(?:der|das|und|ist|sind|im|dem|des|ein|eine|einen|einem|wie|wird|werden|nicht|auf|mit|wer|wo"
    r"|beschreibe|beschreiben|zeige|nenne|erkläre|warum|welche[rsnm]?)\b",
    re.IGNORECASE,
)


@lru_cache(maxsize=1 << 16)
def template_of(text: str) -> str:
    """Give an instruction with numbers (`#`), quotes (`…`) and names (`@`) masked, in small letters.

    Numbers are those of any script. Names are told by their capitals, so only in scripts that have
    capitals, and not in German.
    """
    plain = " ".join(text.split())
    masked = _QUOTES.sub(QUOTE, plain)
    masked = _numerals(_NUMBERS.sub(NUMBER, masked))
    if not _GERMAN.search(masked):
        masked = _NAMES.sub(_name, masked)
    masked = re.sub(r"#(?:[ ,.]*#)+", NUMBER, masked)
    return masked.casefold() if re.search(r"\w", masked) else plain.casefold()


def repeated(texts: Iterable[str], *, most: int = TOP_TEMPLATES) -> list[tuple[str, int]]:
    """Give the most frequent templates that stand in more than one row, with their numbers of rows.

    >>> repeated(["Describe clip 1.", "Describe clip 2.", "Why?"])
    [('describe clip #.', 2)]
    """
    counted = Counter(map(template_of, texts)).most_common(most)
    return [(template, n) for template, n in counted if n > 1]


def _numerals(text: str) -> str:
    """Mask numerals that are letters: 十二, Ⅻ, ½."""
    if text.isascii():
        return text
    return "".join(
        NUMBER if not c.isascii() and unicodedata.numeric(c, None) is not None else c for c in text
    )


def _name(found: re.Match[str]) -> str:
    word = found[0]
    # "I", and letters that have no case at all
    return word if word == "I" or word[0].upper() == word[0].lower() else NAME
