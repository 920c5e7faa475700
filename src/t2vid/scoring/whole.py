"""Answers that are nothing but a letter, several verdicts, or the text of an option.

>>> from t2vid.scoring.options import read_options
>>> letter_alone("(b).", read_options(None)).letter, option_text("the dog.", read_options(["A cat", "A dog"])).letter
('B', 'B')
"""

from __future__ import annotations

import re

from t2vid.scoring.answer import ParsedAnswer
from t2vid.scoring.options import Options
from t2vid.scoring.saying import asks_for_wrong

_ALONE = re.compile(
    r"^[\s\"'“”‘’«»(\[{<【「『《=>→👉|.·•\-–—_#:,;✅✔]*(?:(?:(?:the\s+)?(?:final\s+|correct\s+)?(?:options?|choice|letter|answer)"
    r"\b|a\s*:)[\s:\-#.(\"'=]*)?([A-Za-z])[\s\"'“”‘’«»)\]}>】」』》|.。·\-–—_:,;/\\!✅✔✓]*(?::\))?\s*$",
    re.IGNORECASE,
)
_SEVERAL = re.compile(r"^\W*([A-Za-z](?:(?:[ ,;&/、，]|\band\b|\bor\b|和|与|及)*[A-Za-z])+)\W*$")
_VERDICT = re.compile(
    r"[\s|•-]*[(\[]?([A-Z])[)\]]?[\s.:|=–—-]*(?:(✓|✔|✅|☑|(?i:yes|true|correct|right)(?!\w))|"
    r"[✗✘❌✖×☒]|(?i:no|false|incorrect|wrong)(?!\w))[\s,;.|]*"
)
_REPEATED = re.compile(r"^\W*\b([A-Z])\b(?:[\s.,;)(*]+\1\b)+\W*$")


def letter_alone(text: str, options: Options) -> ParsedAnswer | None:
    """Accept one letter with nothing but wrappers around it, in either case."""
    if len(text) > 200:
        return None
    match = _ALONE.match(text) or _REPEATED.match(text)
    if match is None:
        return _several(text, options)
    said = match[1].upper()
    if said == "I" and text.rstrip().endswith(("..", "…", "-", "–", "—")):
        return ParsedAnswer(None, "empty")  # "I..." is a sentence that broke off
    named = options.exact(match[1].lower())
    if match[1].islower() and named not in (None, said):
        return ParsedAnswer(None, "two answers")  # "a", where option B is the text "a"
    if said in options.letters:
        return ParsedAnswer(said, "letter alone", match.span(1))
    return None if named else ParsedAnswer(None, "no such option")


def _several(text: str, options: Options) -> ParsedAnswer | None:
    """Read an answer of several letters and nothing else: "BC", "A, b and c"."""
    match = _SEVERAL.match(text)
    if match is None or options.exact(text):
        return None
    said = set(re.sub(r"\band\b|\bor\b|[^A-Za-z]", "", match[1]).upper())
    if len(said) < 2 or not said <= set(options.letters):
        return None
    if not match[1].isupper() and match[1].isalpha():
        return None  # a word
    both = options.combined.get(frozenset(said))
    return ParsedAnswer(both, "letter alone" if both else "two answers", match.span(1))


def verdicts(text: str, options: Options, question: str) -> ParsedAnswer | None:
    """Accept the one option that is called right where all that is said are verdicts: "A: no, B: yes, C: no".

    >>> from t2vid.scoring.options import read_options
    >>> verdicts("(A) wrong (B) right", read_options(None), "").letter
    'B'
    """
    found, at = [], 0
    while verdict := _VERDICT.match(text, at):
        found.append(verdict)
        at = verdict.end()
    right = [verdict for verdict in found if verdict[2]]
    named = {verdict[1] for verdict in found}
    if at < len(text) or len(right) != 1 or not 1 < len(found) == len(named & {*options.letters}):
        return None
    if options.exact(right[0][2]) or asks_for_wrong(question):
        return None  # "A. Yes\nB. No" lists the options
    return ParsedAnswer(right[0][1], "statement", right[0].span(1))


def option_text(text: str, options: Options) -> ParsedAnswer | None:
    """Accept the text of one option and nothing else."""
    said = options.exact(text) or options.summed_up(text)
    if not said or text.rstrip().endswith(("?", "？")) > options.asks(said):
        return None
    return ParsedAnswer(said, "option text", (len(text) - len(text.lstrip()), len(text.rstrip())))
