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
from typing import Literal

from t2vid.errors import InputError
from t2vid.scoring.answer import ParsedAnswer, as_text
from t2vid.scoring.clean import clean
from t2vid.scoring.containers import containers
from t2vid.scoring.letters import Mention
from t2vid.scoring.lexicon import OPTION
from t2vid.scoring.mentions import Mentions
from t2vid.scoring.options import Options, read_options
from t2vid.scoring.paper import paper_choice
from t2vid.scoring.saying import Said, asks_for_wrong, retracts, said_of
from t2vid.scoring.turns import turns, without_echo

Scheme = Literal["t2vid", "paper"]
SHORT_CHARS = 400  # an answer this short asserts what it names; of a longer one only the end does
NEAR_CHARS = 200  # of the end of a long answer, where a phrase presents one without saying so
RULES = ("letter alone", "option text", "statement", "letter", "text contained")
SOFT = ("pair", "hedge", "condition", "question", "quotation", "example")
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
    found = OPEN
    for text in turns(cleaned.text, question):
        found = read(text, prepared, question)
        if found.letter or found.rule not in ("undecided", "echo", "empty", "denied"):
            break
    return found._replace(span=cleaned.span(*found.span) if found.letter and found.span else None)


OPEN = ParsedAnswer(None, "undecided")


def read(text: str, options: Options, question: str = "") -> ParsedAnswer:
    """Apply the steps after cleaning to a text."""
    plain = without_echo(text, question)
    for said in dict.fromkeys((text, plain)):
        found = letter_alone(said, options) or option_text(said, options)
        if found := found or verdicts(said, options, question):
            return found
    if plain != text and not _WORD.search(plain):
        return ParsedAnswer(None, "echo")
    mentions = Mentions(plain, options, question)
    return (
        statement(plain, options, mentions)
        or letter(plain, options, mentions)
        or text_contained(plain, options, mentions)
        or ParsedAnswer(None, _why_open(mentions))
    )


def _named(mention: Mention, rule: str) -> ParsedAnswer:
    return ParsedAnswer(mention.letter, rule, mention.decisive)


_WORD = re.compile(r"\w")
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
    """Accept one letter with nothing but wrappers around it, in either case.

    >>> letter_alone("(b).", read_options(None)).letter
    'B'
    """
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
    """Accept the text of one option and nothing else.

    >>> option_text("the dog.", read_options(["A cat", "A dog"])).letter
    'B'
    """
    said = options.exact(text) or options.summed_up(text)
    if not said or text.rstrip().endswith(("?", "？")) > options.asks(said):
        return None
    return ParsedAnswer(said, "option text", (len(text) - len(text.lstrip()), len(text.rstrip())))


def statement(text: str, options: Options, mentions: Mentions) -> ParsedAnswer | None:
    """Accept the last explicit statement: a container, a phrase that presents an option, or an option at the head."""
    held = _contained(text, options)
    if held and held.rule == "undecided":
        mentions.unread, held = held.span[1] if held.span else 0, None
    after = held.span[1] if held and held.span else -1
    mention = _last_presented(mentions, mentions.letters, after)
    if mention is None:
        return held or _text_stated(text, options, mentions)
    if mention.letter not in options.letters:
        return ParsedAnswer(None, "no such option")
    if _one_of_several(mentions, mention) or _restated(mentions, mention):
        return ParsedAnswer(None, "two answers")
    others = [m for m in mentions.letters if m.letter != mention.letter]
    later = [mentions.said(m) for m in others if m.at > mention.at]
    reopened = [said.kind for said in later if said.cued and said.kind in ("pair", "hedge")]
    if reopened:
        return ParsedAnswer(None, _REASONS.get(reopened[-1], reopened[-1]))
    if not mentions.said(mention).cued and "alone" in (mentions.said(m).kind for m in others):
        return ParsedAnswer(None, "two answers")
    if _taken_back(text, mention):
        return ParsedAnswer(None, "taken back")
    return _named(mention, "statement")


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


def _text_stated(text: str, options: Options, mentions: Mentions) -> ParsedAnswer | None:
    """Accept the option whose text is presented: by a phrase, or as the first thing that is said."""
    found = mentions.texts() if options.longest else []
    if not found or _CUT_OFF.search(text) or (len(text) > SHORT_CHARS and not _ENDS.search(text)):
        return None
    if any(mentions.said(m).kind in SOFT and mentions.said(m).cued for m in mentions.letters):
        return None
    mention = _last_presented(mentions, found)
    opening = [m for m in found if m.start < mentions.first_break]
    if len(opening) == 1 < len(found) and not options.bare(opening[0].letter):
        first = mentions.said(opening[0]).kind in ("", "cue", "firm", "alone")
        mention = opening[0] if first and not options.numeric(opening[0].letter) else mention
    if mention is None:
        return None
    if options.numeric(mention.letter) and mention.start < mentions.last_break:
        return None  # a number on the way to another one
    if _taken_back(text, mention):
        return ParsedAnswer(None, "taken back")
    return _named(mention, "statement")


def _last_presented(mentions: Mentions, found: list[Mention], after: int = -1) -> Mention | None:
    """Return the last mention that is presented as the answer; of a loop of one sentence, the first."""
    chosen: Mention | None = None
    for mention in reversed(found):
        if mention.at <= after:
            break
        said = mentions.said(mention)
        if mention.at < mentions.unread and not (said.cued and _ANSWERING.search(said.frame)):
            continue
        if chosen is not None:
            if not _loops(mentions, mention, chosen):
                break
            chosen = mention
        elif _weighs(mentions, mention, said) or _presents_itself(mentions, mention, said):
            if mention.joined:  # "A and B", which may be an option
                if both := mentions.options.combined.get(mention.joined):
                    return mention._replace(letter=both, form="place")
                continue
            chosen = mention
    return chosen


_SET_OFF = re.compile(r"\s*(?:[.):,;!=|>→、。，(]|[-–—]|\n|$)")
_SPECIES = re.compile(r"\. (?!this|his\b)[a-z]*(?:us|is|um|ae|ii|ans|ens|ile|coli|ori)\b")
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
    if _SPECIES.match(text, mention.end):
        return any(word in said.frame for word in ("answer", "option", "correct"))  # "E. coli"
    amid = mentions.first_break < mention.start and mention.end < len(text) - NEAR_CHARS
    return (
        not amid or mention.own or not said.frame.isascii() or bool(_ANSWERING.search(said.frame))
    )


def _verdict(said: Said) -> bool:
    """Say whether it is what follows an option that calls it right or wrong, as in a review of all of them."""
    before, _, after = said.frame.partition(OPTION)
    return (
        said.kind in ("cue", "denial")
        and said_of("", after, "", asks=False, joined=False).kind == said.kind
        and said_of(before, "", "", asks=False, joined=False).kind != said.kind
    )


_LEAD = re.compile(r"^[\W_]*(?:answer)?[\W_]*", re.IGNORECASE)


def _loops(mentions: Mentions, before: Mention, after: Mention) -> bool:
    """Say whether two statements are one sentence said again, with another letter and nothing in between."""
    said, last = mentions.said(before), mentions.said(after)
    if _LEAD.sub("", said.frame).casefold().split() != _LEAD.sub("", last.frame).casefold().split():
        return False
    if len(re.findall(r"\w+", said.frame)) < 2:
        return False
    gap = len(mentions.text[before.end : after.start].strip())
    return before.at == mentions.cut or gap <= len(last.frame.strip()) + 14


def _presents_itself(mentions: Mentions, mention: Mention, said: Said) -> bool:
    """Say whether an option stands where an answer stands: at the head of the answer, or on its last line."""
    if mention.form == "item" or mention.joined or said.kind not in ("", "alone"):
        return False
    text = mentions.text
    head = not _WORD.search(text[: mention.start])
    follows = text[mention.end : mention.end + 4]
    if mention.form == "text":
        return head and bool(re.match(r"\s*(?:[.,;:!—–\n)]|$)", follows))
    line = text.rfind("\n", 0, mention.start) + 1
    if mention.own and said.kind == "" and _WORD.search(text[line : mention.start]):
        owns = [m for m in mentions.letters if m.own and m.letter != mention.letter]
        alone = all(m.form == "item" and m.start > mention.start for m in owns)
        return alone and not _CUT_OFF.search(text)  # "The action is C. doing laundry"
    if head:
        marked = mention.own or text[mention.at - 1 : mention.at] in tuple("([{【「")
        marked = marked or text[mention.at + 1 : mention.at + 2] in tuple(")]】")
        return marked or bool(_SET_OFF.match(follows))
    if mention.start < text.rstrip().rfind("\n") + 1 or said.kind != "alone":
        return False
    if text.rstrip().endswith(("(", ":")):
        return False  # the next head of a review that broke off
    if text[line : mention.start].strip(" -*>|#") and not text.rstrip().endswith(tuple(".!)。")):
        return False  # broken off: "Let me look at each. Option A"
    return text[mention.at].isupper() or mention.wrapped


def _taken_back(text: str, mention: Mention) -> bool:
    after = text[mention.end :]
    after = after if len(after) < 400 else after[:200] + "\n" + after[-200:]
    return bool(after.strip(" .)\n")) and retracts(after)


_FORMULA = re.compile(r"[\\^=+*/<>\d]|\b[a-z]\b")


def _contained(text: str, options: Options) -> ParsedAnswer | None:
    """Read the last container that holds an option."""
    unread: ParsedAnswer | None = None
    for content, at in reversed(containers(text)):
        inner = re.sub(r"\\(?:text|math|mbox)\w*|\\[ ,;!]|\$", lambda f: " " * len(f[0]), content)
        if not inner.strip(" \"'"):
            continue
        found = read(inner, options)
        start, end = found.span or (0, len(inner))
        if inner[start:end] != found.letter and _FORMULA.search(inner[:start] + " " + inner[end:]):
            found = OPEN  # the 3 of "14\\sqrt{3}"
        if found.letter:
            return ParsedAnswer(found.letter, "statement", (at + start, at + end))
        if found.rule not in ("undecided", "echo"):
            return found._replace(span=(at, at + len(content)))
        unread = unread or OPEN._replace(span=(at, at + len(content)))
    return unread


def letter(text: str, options: Options, mentions: Mentions) -> ParsedAnswer | None:
    """Accept the only letter that stands as a sentence of its own, or beside denied ones at the edge of its clause."""
    kinds = [(m, mentions.said(m).kind) for m in mentions.letters if m.at >= mentions.unread]
    if any(kind in SOFT for _, kind in kinds):
        return None
    edge = [m for m, kind in kinds if kind in ("", "alone") and not m.joined]
    left = {
        m.letter: m for m in edge if re.match(r"\s*(?:[.,;:!)(\n–—-]|$)", text[m.end : m.end + 4])
    }
    denied = {m.letter for m, kind in kinds if kind == "denial"}
    if len(left) == 1 and denied and not denied & left.keys() and left.keys() <= {*options.letters}:
        return _named(next(iter(left.values())), "letter")  # "B, certainly not C"
    alone = {m.letter: m for m, kind in kinds if kind == "alone" and m.form != "item"}
    mention = next(iter(alone.values())) if len(alone) == 1 else None
    if mention is None or mention.joined or mention.letter not in options.letters:
        return None
    if not mention.wrapped and mention.at < len(text.rstrip()) - 3:
        return None
    if text.rstrip().endswith(("(", ":")):
        return None  # the next head of a review that broke off
    if text[mention.at].islower() and _WORD.search(text[mention.end :]):
        return None  # a part (b) of an answer
    return _named(mention, "letter")


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


def text_contained(text: str, options: Options, mentions: Mentions) -> ParsedAnswer | None:
    """Accept the only option whose text the answer asserts; of a long answer, its last sentence must do so."""
    if not options.longest or _CUT_OFF.search(text):
        return None
    found = [m for m in mentions.texts() if not options.bare(m.letter)]
    if len(text) > SHORT_CHARS:
        ends = [b for b in mentions.breaks if b < len(text.rstrip())]
        if not _ENDS.search(text) or not _CONCLUDES.search(text, ends[-1] if ends else 0):
            return None
        found = [m for m in found if m.at >= (ends[-1] if ends else 0)]
    if any(mentions.said(m).kind in SOFT for m in mentions.letters + found):
        return None
    asserted = {m.letter: m for m in found if mentions.said(m).kind != "denial"}
    named = {m.letter for m in mentions.letters if m.own and mentions.said(m).kind != "denial"}
    denied = {m.letter for m in mentions.letters + found if mentions.said(m).kind == "denial"}
    if len(asserted) != 1 or asserted.keys() & denied or named - asserted.keys():
        return None
    (mention,) = asserted.values()
    if options.numeric(mention.letter) and mention.start < mentions.last_break:
        return None
    return None if _taken_back(text, mention) else _named(mention, "text contained")


def _why_open(mentions: Mentions) -> str:
    named = mentions.letters + (mentions.texts() if len(mentions.text) <= SHORT_CHARS else [])
    for kind in [mentions.said(m).kind for m in reversed(named)]:
        if kind in (*SOFT, "denial"):
            return _REASONS.get(kind, kind)
    return "undecided"


_BARE = {
    mark.format(chr(65 + i)): (i, ParsedAnswer(chr(65 + i), "letter alone", (at, at + 1)))
    for i in range(26)
    for mark, at in (("{}", 0), ("{}.", 0), ("{})", 0), ("({})", 1))
}
