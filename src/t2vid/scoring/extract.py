r"""Which option a free-text answer means: a short pipeline of named steps that would rather leave open than guess.

>>> extract_choice("Option C is tempting, but the answer is B.", ["red", "blue", "green"])
ParsedAnswer(letter='B', rule='statement', span=(40, 41))
>>> extract_choice("A man is walking.", ["running", "jumping"])
ParsedAnswer(letter=None, rule='undecided', span=None)

The steps, in order; each sees what the ones before it left open:

    clean            blanks for markup and finished thoughts; nothing after the end of sequence
    turns            a model that goes on to ask itself the next question is read up to there
    letter alone     nothing but a letter
    option text      nothing but an option's text, or what one such as "none of the above" says
    statement        the last explicit one: "the answer is B", `\boxed{B}`, <answer>B</answer>, "B. a dog" at the head
    letter           one letter that stands as a sentence of its own
    text contained   one option whose text the answer asserts
    undecided        left open, for a judge

A wrong letter is worse than none: a judge can answer what was left open and cannot repair what was read wrongly.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

from t2vid.errors import InputError
from t2vid.scoring.answer import ParsedAnswer, as_text
from t2vid.scoring.clean import clean
from t2vid.scoring.containers import containers
from t2vid.scoring.letters import Mention
from t2vid.scoring.lexicon import OPTION
from t2vid.scoring.mentions import Mentions
from t2vid.scoring.options import Options, read_options
from t2vid.scoring.paper import paper_choice
from t2vid.scoring.saying import Said, retracts, said_of
from t2vid.scoring.turns import turns, without_echo

Scheme = Literal["t2vid", "paper"]
SHORT_CHARS = 400  # an answer this short asserts what it names; of a longer one only the end does
NEAR_CHARS = 200  # of the end of a long answer, where a phrase presents one without saying so
RULES = ("letter alone", "option text", "statement", "letter", "text contained")
_SOFT = ("pair", "hedge", "condition", "question", "quotation", "example")
_REASONS = {"pair": "two answers", "denial": "denied", "retraction": "taken back"}


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
    if type(prediction) is str and prediction in _BARE and type(options) is not dict:
        if _BARE[prediction][0] < (len(options) if options and type(options) is not str else 5):
            return _BARE[prediction][1]
    cleaned = clean(as_text(prediction))
    if cleaned.reason:
        return ParsedAnswer(None, cleaned.reason)
    prepared = read_options(options)
    question = question if isinstance(question, str) else ""
    found = _Found(None, "undecided")
    for text in turns(cleaned.text, question):
        found = read(text, prepared, question)
        if found.letter or found.rule not in ("undecided", "echo", "empty", "denied"):
            break
    if not found.letter:
        return ParsedAnswer(None, found.rule)
    return ParsedAnswer(found.letter, found.rule, cleaned.span(found.start, found.end))


class _Found(NamedTuple):
    letter: str | None
    rule: str
    start: int = 0
    end: int = 0


def read(text: str, options: Options, question: str = "") -> _Found:
    """Apply the steps after cleaning to a text."""
    for step in (letter_alone, option_text):
        if found := step(text, options):
            return found
    text, echoed = without_echo(text, question)
    if echoed:
        if not re.search(r"\w", text):
            return _Found(None, "echo")
        for step in (letter_alone, option_text):
            if found := step(text, options):
                return found
    mentions = Mentions(text, options, question)
    return (
        statement(text, options, mentions)
        or letter(text, options, mentions)
        or text_contained(text, options, mentions)
        or _Found(None, _why_open(mentions))
    )


_ALONE = re.compile(
    r"^[\s\"'“”‘’«»(\[{<【「『《=>→👉|.·•\-–—_#:,;✅✔]*(?:(?:(?:the\s+)?(?:final\s+|correct\s+)?(?:options?|choice|letter|answer)"
    r"\b|a\s*:)[\s:\-#.(\"'=]*)?([A-Za-z])[\s\"'“”‘’«»)\]}>】」』》|.。·\-–—_:,;/\\!✅✔✓]*(?::\))?\s*$",
    re.IGNORECASE,
)
_SEVERAL = re.compile(r"^\W*([A-Za-z](?:(?:[ ,;&/、，]|\band\b|\bor\b|和|与|及)*[A-Za-z])+)\W*$")
_REPEATED = re.compile(r"^\W*\b([A-Z])\b(?:[\s.,;)(*]+\1\b)+\W*$")


def letter_alone(text: str, options: Options) -> _Found | None:
    """Accept one letter with nothing but wrappers around it, in either case.

    >>> letter_alone("(b).", read_options(None)).letter
    'B'
    """
    if len(text) > 200:
        return None
    match = _ALONE.match(text) or _REPEATED.match(text)
    if match is None:
        return _several(text, options)
    said, (start, end) = match[1].upper(), match.span(1)
    if said == "I" and text.rstrip().endswith(("..", "…", "-", "–", "—")):
        return _Found(None, "empty")  # "I..." is a sentence that broke off
    named = options.exact(match[1].lower())
    if match[1].islower() and named not in (None, said):
        return _Found(None, "two answers")  # "a", where option B is the text "a"
    if said in options.letters:
        return _Found(said, "letter alone", start, end)
    return None if named else _Found(None, "no such option")


def _several(text: str, options: Options) -> _Found | None:
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
    return _Found(both, "letter alone", *match.span(1)) if both else _Found(None, "two answers")


def option_text(text: str, options: Options) -> _Found | None:
    """Accept the text of one option and nothing else.

    >>> option_text("the dog.", read_options(["A cat", "A dog"])).letter
    'B'
    """
    said = options.exact(text) or options.summed_up(text)
    if not said:
        return None
    if text.rstrip().endswith(("?", "？")) and not options.raw[said].rstrip().endswith(("?", "？")):
        return None
    return _Found(said, "option text", len(text) - len(text.lstrip()), len(text.rstrip()))


def statement(text: str, options: Options, mentions: Mentions) -> _Found | None:
    """Accept the last explicit statement: a container, a phrase that presents an option, or an option at the head."""
    held = _contained(text, options)
    if held and held.rule == "undecided":
        mentions.unread, held = held.end, None
    chosen = _last_presented(mentions, mentions.letters, after=held.end if held else -1)
    if chosen is None and held is None and options.longest and not _unsettled(mentions):
        return _text_stated(text, options, mentions)
    if chosen is None:
        return held
    mention, said = chosen
    if mention.joined:
        both = options.combined.get(mention.joined)
        return _Found(both, "statement", mention.start, mention.end) if both else None
    if mention.letter not in options.letters:
        return _Found(None, "no such option")
    if _one_of_several(mentions, mention) or _restated(mentions, mention):
        return _Found(None, "two answers")
    later = [
        mentions.said(m)
        for m in mentions.letters
        if m.at > mention.at and m.letter != mention.letter
    ]
    reopened = [after.kind for after in later if after.cued and after.kind in ("pair", "hedge")]
    if reopened:
        return _Found(None, _REASONS.get(reopened[-1], reopened[-1]))
    if not said.cued and any(
        mentions.said(m).kind == "alone" and m.letter != mention.letter for m in mentions.letters
    ):
        return _Found(None, "two answers")
    if _taken_back(text, mention):
        return _Found(None, "taken back")
    return _Found(mention.letter, "statement", *mention.decisive)


def _one_of_several(mentions: Mentions, chosen: Mention) -> bool:
    """Say whether an option is called right in a review of all of them, in which another one is called so, too."""
    if not _verdict(mentions.said(chosen)):
        return False
    verdicts = {
        m.letter: mentions.said(m).kind for m in mentions.letters if _verdict(mentions.said(m))
    }
    return len(verdicts) > 2 and list(verdicts.values()).count("cue") > 1


def _restated(mentions: Mentions, chosen: Mention) -> bool:
    """Say whether an answer was stated and, with no reason in between, another one: "The answer is A. Final answer: B"."""
    said = mentions.said(chosen)
    if not said.cued or chosen.own or not _ANSWERING.search(said.frame):
        return False
    for mention in reversed(mentions.letters):
        if mention.at >= chosen.at or mention.letter == chosen.letter:
            continue
        earlier = mentions.said(mention)
        between = mentions.text[mention.end : chosen.start]
        if len(between) > 120:
            return False
        if earlier.kind == "cue" and "answer" in earlier.frame.casefold() and not _verdict(earlier):
            return bool(re.search(r"[.\n]", between)) and not _TURNS.search(between)
    return False


def _unsettled(mentions: Mentions) -> bool:
    return any(mentions.said(m).kind in _SOFT and mentions.said(m).cued for m in mentions.letters)


def _text_stated(text: str, options: Options, mentions: Mentions) -> _Found | None:
    """Accept the option whose text is presented: by a phrase, or as the first thing that is said."""
    found = mentions.texts()
    first = [m for m in found if _presents_itself(mentions, m, mentions.said(m))]
    if first and options.bare(first[0].letter):  # "Yes, …"
        return _Found(first[0].letter, "statement", first[0].start, first[0].end)
    if not found or _CUT_OFF.search(text) or (len(text) > SHORT_CHARS and not _ENDS.search(text)):
        return None
    others = {m.letter for m in found if mentions.said(m).kind not in ("denial", "quotation")}
    if first and len(others) == 1:
        return _Found(first[0].letter, "statement", first[0].start, first[0].end)
    opening = [m for m in found if m.start < mentions.first_break and not m.joined]
    said = {m.letter: m for m in opening if mentions.said(m).kind in ("", "cue", "firm", "alone")}
    if len(said) == 1 and len(opening) == 1 and not options.numeric(opening[0].letter):
        if not options.bare(opening[0].letter) and len(found) > 1:
            if _taken_back(text, opening[0]):
                return _Found(None, "taken back")
            return _Found(opening[0].letter, "statement", opening[0].start, opening[0].end)
    chosen = _last_presented(mentions, found)
    if chosen is None:
        return None
    mention, _ = chosen
    if first and mention in first:
        return None
    if options.numeric(mention.letter) and mention.start < mentions.last_break:
        return None  # a number on the way to another one
    if _taken_back(text, mention):
        return _Found(None, "taken back")
    return _Found(mention.letter, "statement", mention.start, mention.end)


def _last_presented(
    mentions: Mentions, found: list[Mention], after: int = -1
) -> tuple[Mention, Said] | None:
    """Return the last mention that is presented as the answer; of a loop of one sentence, the first."""
    chosen: tuple[Mention, Said] | None = None
    for mention in reversed(found):
        if mention.at <= after:
            break
        said = mentions.said(mention)
        if mention.at < mentions.unread and not (said.cued and _ANSWERING.search(said.frame)):
            continue
        if chosen is not None:
            if not _loops(mentions, mention, said, chosen):
                break
            chosen = mention, said
        elif _weighs(mentions, mention, said) or _presents_itself(mentions, mention, said):
            if mention.joined and not mentions.options.combined.get(mention.joined):
                continue
            chosen = mention, said
    return chosen


_ANSWERING = re.compile(
    r"\b(?:answers?|options?|choices?|choose|chosen|pick|select(?:ed)?|correct|right|best|closest|solution|conclu\w+|"
    r"letter|accurate|likely|final|"
    r"appropriate|suitable|plausible|statement)\b",
    re.IGNORECASE,
)


def _weighs(mentions: Mentions, mention: Mention, said: Said) -> bool:
    """Say whether a phrase presents an answer; amid a long one only if it speaks of an answer, not of a point C."""
    if said.kind == "firm":
        return True
    if said.kind != "cue":
        return False
    text = mentions.text
    amid = mentions.first_break < mention.start and mention.end < len(text) - NEAR_CHARS
    return not amid or not said.frame.isascii() or bool(_ANSWERING.search(said.frame))


def _verdict(said: Said) -> bool:
    """Say whether it is what follows an option that calls it right or wrong, as in a review of all of them."""
    before, _, after = said.frame.partition(OPTION)
    return (
        said.kind in ("cue", "denial")
        and said_of("", after, "", asks=False, joined=False).kind == said.kind
        and said_of(before, "", "", asks=False, joined=False).kind != said.kind
    )


_LEAD = re.compile(r"^[\W_]*(?:answer)?[\W_]*", re.IGNORECASE)


def _loops(mentions: Mentions, before: Mention, said: Said, chosen: tuple[Mention, Said]) -> bool:
    """Say whether two statements are one sentence said again, with another letter and nothing in between."""
    mention, last = chosen
    if _LEAD.sub("", said.frame).casefold().split() != _LEAD.sub("", last.frame).casefold().split():
        return False
    if len(re.findall(r"\w+", said.frame)) < 2:
        return False
    gap = len(mentions.text[before.end : mention.start].strip())
    return before.at == mentions.cut or gap <= len(last.frame.strip()) + 14


def _presents_itself(mentions: Mentions, mention: Mention, said: Said) -> bool:
    """Say whether an option stands where an answer stands: at the head of the answer, or on its last line."""
    opens = mention.form == "text" and not mentions.text[: mention.start].strip(" \n\"'“(")
    if opens and mentions.options.bare(mention.letter):
        return bool(re.match(r"\s*(?:[.,;:!—–\n)]|$)", mentions.text[mention.end :]))
    if mention.form == "item" or mention.joined or said.kind not in ("", "alone"):
        return False
    text = mentions.text
    if mention.form == "text":
        return opens and bool(re.match(r"\s*(?:[.,;:!—–\n)]|$)", text[mention.end :]))
    line = text.rfind("\n", 0, mention.start) + 1
    if mention.own and said.kind == "" and re.search(r"\w", text[line : mention.start]):
        owns = {m.letter for m in mentions.letters if m.own}
        return len(owns) == 1 and not _CUT_OFF.search(text)  # "The action is C. doing laundry"
    head = not re.search(r"\w", text[: mention.start])
    if head:
        follows = text[mention.end : mention.end + 3]
        marked = mention.own or text[mention.at - 1 : mention.at] in tuple("([{【「")
        return marked or bool(re.match(r"\s*(?:[.):,;!=|>→、。，(]|[-–—]|\n|$)", follows))
    last_line = text.rstrip().rfind("\n") + 1
    if mention.start < last_line or said.kind != "alone":
        return False
    if text[last_line : mention.start].strip(" -*>|#") and not text.rstrip().endswith(
        (".", "!", ")", "。")
    ):
        return False  # broken off: "Let me look at each. Option A"
    return text[mention.at].isupper() or mention.wrapped


def _taken_back(text: str, mention: Mention) -> bool:
    after = text[mention.end :]
    after = after if len(after) < 400 else after[:200] + "\n" + after[-200:]
    return bool(after.strip(" .)\n")) and retracts(after)


_FORMULA = re.compile(r"[\\^=+*/<>\d]|\b[a-z]\b")


def _contained(text: str, options: Options) -> _Found | None:
    """Read the last container that holds an option."""
    unread: _Found | None = None
    for content, at in reversed(containers(text)):
        inner = re.sub(r"\\(?:text|math|mbox)\w*|\\[ ,;!]|\$", lambda f: " " * len(f[0]), content)
        if not inner.strip(" \"'"):
            continue
        found = read(inner, options)
        if found.letter and _FORMULA.search(inner[: found.start] + " " + inner[found.end :]):
            if inner[found.start : found.end] != found.letter:
                found = _Found(None, "undecided")  # the 3 of "14\\sqrt{3}"
        if found.letter:
            return _Found(found.letter, "statement", at + found.start, at + found.end)
        if found.rule not in ("undecided", "echo"):
            return _Found(None, found.rule, at, at + len(content))
        unread = unread or _Found(None, "undecided", at, at + len(content))
    return unread


def _stands(text: str, mention: Mention) -> bool:
    """Say whether a letter stands where no name has one: at the edge of its clause."""
    return not mention.joined and bool(
        re.match(r"\s*(?:[.,;:!)(\n–—-]|$)", text[mention.end : mention.end + 4])
    )


def letter(text: str, options: Options, mentions: Mentions) -> _Found | None:
    """Accept the only letter that stands as a sentence of its own."""
    kinds = [(m, mentions.said(m).kind) for m in mentions.letters if m.at >= mentions.unread]
    left = {m.letter: m for m, kind in kinds if kind in ("", "alone") and _stands(text, m)}
    denied = {m.letter for m, kind in kinds if kind == "denial"}
    if len(left) == 1 and denied - left.keys() and not left.keys() & denied:
        (mention,) = left.values()  # "B, certainly not C"
        if not any(kind in _SOFT for _, kind in kinds) and mention.letter in options.letters:
            return _Found(mention.letter, "letter", *mention.decisive)
    alone = [m for m, kind in kinds if kind == "alone" and m.form != "item"]
    if len({m.letter for m in alone}) != 1 or any(kind in _SOFT for _, kind in kinds):
        return None
    mention = alone[-1]
    if mention.joined or mention.letter not in options.letters:
        return None
    if not mention.wrapped and mention.at < len(text.rstrip()) - 3:
        return None
    if text[mention.at].islower() and re.search(r"\w", text[mention.end :]):
        return None  # a part (b) of an answer
    return _Found(mention.letter, "letter", *mention.decisive)


_TURNS = re.compile(
    r"\b(?:but|however|wait|no|not|actually|sorry|instead|rather|correct(?:ion|ed|ing)|revis\w*|mistake\w*|check\w*|reconsider\w*|mean|change\w*)\b",
    re.IGNORECASE,
)
_CUT_OFF = re.compile(
    r"(?:\b(?:and|or|the|a|an|to|of|with|is|because|that|as|but|so|in|for|then|he|she|it|they|we|this|which)|[,(])\s*$"
)
_ENDS = re.compile(r"[.!。！:)\"'”]\s*$")
_CONCLUDES = re.compile(
    r"\b(?:therefore|thus|hence|so|answer|conclu\w+|in summary|overall)\b|所以|因此|∴",
    re.IGNORECASE,
)


def text_contained(text: str, options: Options, mentions: Mentions) -> _Found | None:
    """Accept the only option whose text the answer asserts; of a long answer, its last sentence must do so."""
    if (
        not options.longest
        or _CUT_OFF.search(text)
        or any(mentions.said(m).kind in _SOFT for m in mentions.letters)
    ):
        return None
    found = [m for m in mentions.texts() if not options.bare(m.letter)]
    last = None
    if len(text) > SHORT_CHARS:
        ends = [b for b in mentions.breaks if b < len(text.rstrip())]
        last = ends[-1] if ends else 0
        if not _ENDS.search(text) or not _CONCLUDES.search(text, last):
            return None
        found = [m for m in found if m.at >= last]
    kinds = [(m, mentions.said(m).kind) for m in found]
    if any(kind in _SOFT for _, kind in kinds):
        return None
    asserted = {m.letter: m for m, kind in kinds if kind != "denial" and not m.joined}
    denied = {m.letter for m, kind in kinds if kind == "denial"}
    if len(asserted) != 1 or asserted.keys() & denied:
        return None
    (mention,) = asserted.values()
    if any(
        m.letter == mention.letter and mentions.said(m).kind == "denial" for m in mentions.letters
    ):
        return None
    if options.numeric(mention.letter) and mention.start < mentions.last_break:
        return None
    if _taken_back(text, mention):
        return None
    return _Found(mention.letter, "text contained", mention.start, mention.end)


def _why_open(mentions: Mentions) -> str:
    named = mentions.letters + (mentions.texts() if len(mentions.text) <= SHORT_CHARS else [])
    for kind in [mentions.said(m).kind for m in reversed(named)]:
        if kind in (*_SOFT, "denial"):
            return _REASONS.get(kind, kind)
    return "undecided"


_BARE = {
    mark.format(chr(65 + i)): (i, ParsedAnswer(chr(65 + i), "letter alone", (at, at + 1)))
    for i in range(26)
    for mark, at in (("{}", 0), ("{}.", 0), ("{})", 0), ("({})", 1))
}
