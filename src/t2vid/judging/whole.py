"""Rules 4 to 6, where the answer as a whole names an option: a letter, an option's words, or both.

>>> letter_alone(Answer("**(B)**")), option_text(Answer("The cat.", ["a cat", "a dog"]))
(Choice(letter='B', rule='letter alone'), Choice(letter='A', rule='option text'))
"""

from __future__ import annotations

import html
import re

from t2vid.judging import phrases as say
from t2vid.judging.answer import Answer, Choice
from t2vid.judging.options import normal

_LATEX = re.compile(
    r"\\{1,2}(?:text|textbf|mathrm|mathbf|textit|mathit|mathsf|underline|mathbb|mathcal|textsf|texttt|operatorname|bf|rm|emph|large|Large|displaystyle)\b\s*|\\{1,2}[()\[\],;! ]|\\{1,2}(?:quad|qquad)\b"
)
_MARKUP = str.maketrans("", "", "*`$")
_STRUCK = re.compile(r"~~.*?~~|<(?:s|del|strike)>.*?</(?:s|del|strike)>", re.DOTALL | re.IGNORECASE)
_HTML = re.compile(
    r"</?(?:b|i|p|em|strong|br|span|div|u|code|pre|li|ul|ol|h[1-6]|center|font|body|html)\b[^<>]{0,60}>"
)
_HEADING = re.compile(r"(?m)^\s*(?:#{1,6}|>+)\s+")
_EMPHASIS = re.compile(r"(?<!\w)_([^_\n]+)_(?!\w)")
_HYPHEN = re.compile(r"\b(answer|option|choice)\s?[-_]\s?(?=[A-J]\b)", re.IGNORECASE)
_ALONE = re.compile(
    r"^[\s\"'“”‘’«»„(\[{<【「『《=>→|.·•\-–—_#:,;☑✅✔]*(?:(?:the\s+)?(?:options?|choice|letter|answer)\b[\s:\-#.(\"']*)?([A-Za-z])[\s\"'“”‘’«»„)\]}>】」』》|.。·\-–—_:,;/\\!✅✔✓]*$",
    re.IGNORECASE,
)


_Q_AND_A = re.compile(r"^A\s?:\s*(\(?[A-J]\)?[.)]?)$")  # "Q: ... A: B"
_ONLY_LETTERS = re.compile(r"^(?:[\s,;/&+|.()\[\]\"'…-]*\b[A-J]\b)+[\s,;/&+|.()\[\]\"'…-]*$")
_CAPITAL = re.compile(r"[A-J]")


def letter_alone(answer: Answer) -> Choice | None:
    """Accept one letter with nothing but wrappers around it, in either case.

    >>> letter_alone(Answer("(b)."))
    Choice(letter='B', rule='letter alone')
    >>> letter_alone(Answer("F"))
    Choice(letter=None, rule='no such option')
    >>> letter_alone(Answer("~~B~~")), letter_alone(Answer("B+"))
    (None, None)
    """
    text = answer.text
    if not text.isalnum():
        if "\\" in text:
            text = _LATEX.sub(" ", text).replace("{", " ").replace("}", " ")
        if "~" in text or "<" in text:
            text = _HTML.sub(" ", _STRUCK.sub(" ", text))
        if "&" in text:
            text = html.unescape(text)
        text = _HEADING.sub("", text.translate(_MARKUP).replace("__", ""))
        if "_" in text:
            text = _EMPHASIS.sub(r"\1", text)
        if "-" in text or "_" in text:
            text = _HYPHEN.sub(r"\1 ", text)
        answer.text = text.strip()
    answer.text = _Q_AND_A.sub(r"\1", answer.text)
    if len(answer.text) < 60 and _ONLY_LETTERS.match(answer.text):
        said = set(_CAPITAL.findall(answer.text))
        if len(said) > 1 and said <= set(answer.options.letters):
            return Choice(None, "two answers")
    match = _ALONE.match(answer.text)
    if match is None:
        return None
    if match[1] == "I" and answer.text.endswith(("..", "…", "-", "–", "—")):
        return Choice(None, "empty")  # "I..." is a sentence that broke off
    letter = match[1].upper()
    named = answer.options.exact(match[1].lower())
    if match[1].islower() and named not in (None, letter):
        # "a" where option B is the text "a": either may be meant, unless there is no option A
        return Choice(None, "two answers") if letter in answer.options.letters else None
    if letter in answer.options.letters:
        return Choice(letter, "letter alone")
    if named or answer.options.exact(normal(answer.text)):
        return None
    return Choice(None, "no such option")


def option_text(answer: Answer) -> Choice | None:
    """Accept the exact text of one option, whatever its case, articles and punctuation, before any letter search.

    >>> option_text(Answer("the dog.", ["A cat", "A dog", "A bee"]))
    Choice(letter='B', rule='option text')
    >>> option_text(Answer("Three", ["2", "3"]))
    Choice(letter='B', rule='option text')
    >>> option_text(Answer("dog", ["dog", "Dog."]))
    """
    if len(answer.text) > 2 * answer.options.longest + 60:
        return None
    letter = answer.options.exact(normal(answer.text))
    if letter and answer.text.rstrip().endswith(("?", "？")):
        own = answer.options.raw[answer.options.letters.index(letter)].rstrip()
        return Choice(letter, "option text") if own.endswith(("?", "？")) else None
    return Choice(letter, "option text") if letter else None


_FIRST = re.compile(
    r"^[\s\"'“‘«(\[{<【「|.·•\-–—:,]*(?:(?:the\s+)?(?:options?|choice|answer|letter)\s*[:#]?\s*)?[\"'(\[【「]*([A-Za-z])[\"')\]】」]*"
    r"(\s*[.):、,。;\]】」]\s*|\s+[-–—=>→|]+\s*|\s*[\r\n]+\s*|\s+(?=\S))(.+)$",
    re.DOTALL,
)


def letter_and_text(answer: Answer) -> Choice | None:
    """Accept a leading letter with a delimiter and text; where the text is another option's, the letter wins.

    >>> letter_and_text(Answer("B) dog", ["cat", "dog"])), letter_and_text(Answer("A. dog", ["cat", "dog"]))
    (Choice(letter='B', rule='letter and text'), Choice(letter='A', rule='letter against text'))
    >>> letter_and_text(Answer("D. A dog barks in the background."))
    Choice(letter='D', rule='letter and text')
    >>> letter_and_text(Answer("A. cat\\nB. dog", ["cat", "dog"])), letter_and_text(Answer("A. Wait, I mean B."))
    (None, None)
    """
    match = _FIRST.match(answer.text)
    if match is None:
        return None
    letter, gap, rest = match[1].upper(), match[2], match[3]
    if letter not in answer.options.letters:
        return None
    said = normal(rest)
    own = answer.options.text_of(letter)
    if not any(c in gap for c in ".):、,。;]】」-–—=>→|\n"):
        # without a delimiter only the option's own words make "B leisure pace" an answer
        if not own or said != own or match[1].islower():
            return None
    elif match[1].islower() and gap.strip() in (",", ";", ""):
        return None
    elif own and said.startswith(own):
        pass
    if answer.options.without_list(answer.text) != answer.text:
        return None
    first = [m for m in answer.mentions() if m.start >= match.start(1)][:1]
    if own and said == own:
        pass
    elif first and first[0].letter == letter and first[0].start == match.start(1):
        if first[0].kind not in ("cue", "weak", "plain") and not (own and said.startswith(own)):
            return None
    elif match[1].isupper():
        return None
    if any(
        m.start > match.start(1) and m.kind != "no" and m.letter != letter
        for m in answer.mentions()
    ):
        return None
    if (
        letter == "I"
        and not own.startswith(said[:4] or "-")
        and re.match(r"[.,]?\s*[a-z]|,", gap + rest)
    ):
        return None  # "I. do not know", "I, as a model"
    if say.TAKEN_BACK.search(rest):
        return Choice(None, "taken back")
    other = answer.options.exact(said)
    return Choice(letter, "letter against text" if other and other != letter else "letter and text")
