r"""Which option a free-text answer means: a short pipeline of named steps that would rather leave open than guess.

>>> extract_choice("Option C is tempting, but the answer is B.", ["red", "blue", "green"])
ParsedAnswer(letter='B', rule='statement', span=(40, 41))
>>> extract_choice("A man is walking.", ["running", "jumping"])
ParsedAnswer(letter=None, rule='undecided', span=None)

The steps, in order; each sees what the ones before it left open:

    clean            blanks for markup and finished thoughts; nothing after the end of sequence
    turns            a model that goes on to ask itself the next question is read up to there
    letter alone     nothing but a letter
    option text      nothing but an option's text, what one such as "none of the above" says, or one verdict an option
    statement        the last explicit one: "the answer is B", `\boxed{B}`, <answer>B</answer>, "B. a dog" at the head
    letter           one letter that stands as a sentence of its own
    text contained   one option whose text the answer asserts
    undecided        left open, for a judge

A wrong letter is worse than none: a judge can answer what was left open and cannot repair what was read wrongly.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Literal

from t2vid.errors import InputError
from t2vid.scoring.answer import ParsedAnswer, as_text
from t2vid.scoring.clean import blank, clean
from t2vid.scoring.containers import containers
from t2vid.scoring.mentions import Mentions
from t2vid.scoring.options import Options, read_options
from t2vid.scoring.paper import paper_choice
from t2vid.scoring.stated import (
    BROKEN_OFF,
    CONCLUDES,
    CUT_OFF,
    ENDS,
    REASONS,
    SHORT_CHARS,
    SOFT,
    statement,
)
from t2vid.scoring.turns import turns, without_echo
from t2vid.scoring.whole import letter_alone, option_text, verdicts

Scheme = Literal["t2vid", "paper"]
RULES = ("letter alone", "option text", "statement", "letter", "text contained")
MAX_DEPTH = 4  # of containers within containers; a model that loops opens one after the other
_WORD = re.compile(r"\w")
_LOOKS = re.compile(r"\\(?:text|math|mbox)\w*|\\[ ,;!]|\$|^[\"']")  # not what it says
_FORMULA = re.compile(r"[\\^=+*/<>\d]|\b[a-z]\b")


def extract_choice(
    prediction: object,
    options: Sequence[str] | Mapping[str, str] | str | None,
    question: str = "",
    *,
    scheme: Scheme = "t2vid",
) -> ParsedAnswer:
    """Read the chosen option out of a model's answer, or leave it open.

    Args:
        prediction: the answer; None, NaN and anything unreadable count as empty.
        options: option texts in order, by letter, or as one lettered string; None where only letters A to E are known.
        question: the question, so that its echo is not taken for an answer.
        scheme: `"t2vid"` for the steps of this module, `"paper"` for the decisions of the paper's script.

    Returns:
        The letter or None, the step that decided or why none did, and the characters it decided on.

    Raises:
        InputError: for an unknown scheme or options that letters cannot name.
    """
    if scheme == "paper":
        return paper_choice(prediction)
    if scheme != "t2vid":
        raise InputError(f"scheme {scheme!r} is unknown; use 't2vid' or 'paper'")
    cleaned = clean(as_text(prediction))
    if cleaned.reason:
        return ParsedAnswer(None, cleaned.reason)
    prepared = read_options(options)
    question = question if isinstance(question, str) else ""
    found = OPEN
    for text in turns(cleaned.text, question):
        found = read(text, prepared, question)
        if found.letter or found.rule not in ("undecided", "echo", "empty", "denied"):
            break
    return found._replace(span=cleaned.span(*found.span) if found.letter and found.span else None)


OPEN = ParsedAnswer(None, "undecided")


def read(text: str, options: Options, question: str = "", depth: int = 0) -> ParsedAnswer:
    """Apply the steps after cleaning to a text, which may be what a container within `depth` others holds."""
    plain = without_echo(text, question)
    for said in dict.fromkeys((text, plain)):
        found = letter_alone(said, options) or option_text(said, options)
        if found := found or verdicts(said, options, question):
            return found
    if plain != text and not _WORD.search(plain):
        return ParsedAnswer(None, "echo")
    mentions = Mentions(plain, options, question)
    return (
        statement(mentions, _contained(plain, options, depth))
        or letter(mentions)
        or text_contained(mentions)
        or ParsedAnswer(None, _why_open(mentions))
    )


def _contained(text: str, options: Options, depth: int) -> ParsedAnswer | None:
    """Read the last container that holds an option."""
    unread: ParsedAnswer | None = None
    for content, at in reversed(containers(text)) if depth < MAX_DEPTH else ():
        inner = blank(_LOOKS, content)
        if not inner.strip(" \n\"'"):
            continue
        found = read(inner, options, depth=depth + 1)
        start, end = found.span or (0, len(inner))
        if inner[start:end] != found.letter and _FORMULA.search(inner[:start] + " " + inner[end:]):
            found = OPEN  # the 3 of "14\\sqrt{3}"
        if found.letter:
            return ParsedAnswer(found.letter, "statement", (at + start, at + end))
        if found.rule not in ("undecided", "echo"):
            return found._replace(span=(at, at + len(content)))
        unread = unread or OPEN._replace(span=(at, at + len(content)))
    return unread


def letter(mentions: Mentions) -> ParsedAnswer | None:
    """Accept the only letter that stands as a sentence of its own, or beside denied ones at the edge of its clause."""
    text, options = mentions.text, mentions.options
    kinds = [(m, mentions.said(m).kind) for m in mentions.letters if m.at >= mentions.unread]
    if any(kind in SOFT for _, kind in kinds) or BROKEN_OFF.search(text):
        return None  # also where a review broke off at its next head
    edge = [m for m, kind in kinds if kind in ("", "alone") and not m.joined]
    left = {
        m.letter: m for m in edge if re.match(r"\s*(?:[.,;:!)(\n–—-]|$)", text[m.end : m.end + 4])
    }
    denied = {m.letter for m, kind in kinds if kind == "denial"}
    if len(left) == 1 and denied and not denied & left.keys() and left.keys() <= {*options.letters}:
        return next(iter(left.values())).parsed("letter")  # "B, certainly not C"
    alone = {m.letter: m for m, kind in kinds if kind == "alone" and m.form != "item"}
    mention = next(iter(alone.values())) if len(alone) == 1 else None
    if mention is None or mention.joined or mention.letter not in options.letters:
        return None
    if not mention.wrapped and mention.at < len(text.rstrip()) - 3:
        return None
    if text[mention.at].islower() and _WORD.search(text[mention.end :]):
        return None  # a part (b) of an answer
    return mention.parsed("letter")


def text_contained(mentions: Mentions) -> ParsedAnswer | None:
    """Accept the only option whose text the answer asserts; of a long answer, its last sentence must do so."""
    text, options = mentions.text, mentions.options
    if not options.longest or CUT_OFF.search(text):
        return None
    found = [m for m in mentions.texts() if not options.bare(m.letter)]
    if len(text) > SHORT_CHARS:
        ends = [b for b in mentions.breaks if b < len(text.rstrip())]
        if not ENDS.search(text) or not CONCLUDES.search(text, ends[-1] if ends else 0):
            return None
        found = [m for m in found if m.at >= (ends[-1] if ends else 0)]
    if any(mentions.said(m).kind in SOFT for m in mentions.letters + found):
        return None
    asserted = {m.letter: m for m in found if mentions.said(m).kind != "denial"}
    owns = [m for m in mentions.letters if m.own and m.form != "item"]
    named = {m.letter for m in owns if mentions.said(m).kind != "denial"}
    denied = {m.letter for m in mentions.letters + found if mentions.said(m).kind == "denial"}
    if len(asserted) != 1 or asserted.keys() & denied or named - asserted.keys():
        return None
    (mention,) = asserted.values()
    if options.numeric(mention.letter) and mention.start < mentions.last_break:
        return None
    if mentions.taken_back(mention) or mentions.unsaid_after(mention):
        return None
    return mention.parsed("text contained")


def _why_open(mentions: Mentions) -> str:
    named = mentions.letters + (mentions.texts() if len(mentions.text) <= SHORT_CHARS else [])
    for kind in [mentions.said(m).kind for m in reversed(named)]:
        if kind in (*SOFT, "denial"):
            return REASONS.get(kind, kind)
    return "undecided"
