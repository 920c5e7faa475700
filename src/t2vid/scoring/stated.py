"""The last explicit statement of an answer: an option that a phrase presents, or that stands where an answer stands.

>>> from t2vid.scoring.options import read_options
>>> statement(Mentions("It may look like A, but the answer is B.", read_options(None)), None).letter
'B'
"""

from __future__ import annotations

import re

from t2vid.scoring.answer import ParsedAnswer
from t2vid.scoring.letters import Mention
from t2vid.scoring.lexicon import OPTION
from t2vid.scoring.mentions import Mentions
from t2vid.scoring.saying import Said, said_of

SHORT_CHARS = 400  # an answer this short asserts what it names; of a longer one only the end does
NEAR_CHARS = 200  # of the end of a long answer, where a phrase presents one without saying so
SOFT = ("pair", "hedge", "condition", "question", "quotation", "example")
REASONS = {"pair": "two answers", "denial": "denied", "retraction": "taken back"}
_WORD = re.compile(r"\w")
_TURNS = re.compile(
    r"\b(?:but|however|wait|no|not|actually|sorry|instead|rather|correct(?:ion|ed|ing)|revis\w*|mistake\w*|check\w*|reconsider\w*|mean|change\w*)\b",
    re.IGNORECASE,
)
CUT_OFF = re.compile(
    r"(?:\b(?:and|or|the|a|an|to|of|with|is|because|that|as|but|so|in|for|then|he|she|it|they|we|this|which)|[,(])\s*$"
)
BROKEN_OFF = re.compile(r"(?:\.{3}|…|[(:])\s*$")
CONCLUDES = re.compile(
    r"\b(?:therefore|thus|hence|so|answer|conclu\w+|in summary|overall)\b|所以|因此|∴",
    re.IGNORECASE,
)
_CLOSES = re.compile(r"(?:\s*in (?:the|this) (?:video|clip|image|scene))?[.!]\s*")
_ASSERTS = re.compile(
    r"^(?!.*\b(?:question|options?|whether|if|let|need)\b).*\b(?:is|are|was|were)\b", re.I
)
_EVIDENCE = re.compile(r"\s*(?:This|It|As|In the video|The video|We can see)\b")
ENDS = re.compile(r"[.!。！:)\"'”]\s*$")


def statement(mentions: Mentions, held: ParsedAnswer | None) -> ParsedAnswer | None:
    """Accept the last explicit statement: a container, a phrase that presents an option, or an option at the head.

    Args:
        mentions: what the answer names.
        held: what its last container was read as.
    """
    if held and held.rule == "undecided":
        mentions.unread, held = held.span[1] if held.span else 0, None
    after = held.span[1] if held and held.span else -1
    mention = _last_presented(mentions, mentions.letters, after)
    if mention is None:
        return held or _text_stated(mentions)
    if mention.letter not in mentions.options.letters:
        return ParsedAnswer(None, "no such option")
    if mentions.unsaid_after(mention):
        return None
    if _one_of_several(mentions, mention) or _restated(mentions, mention):
        return ParsedAnswer(None, "two answers")
    others = [m for m in mentions.letters if m.letter != mention.letter]
    later = [mentions.said(m) for m in others if m.at > mention.at]
    reopened = [
        said.kind
        for said in later
        if said.kind in ("pair", "hedge") and (said.cued or "either" in said.frame)
    ]
    if reopened:
        return ParsedAnswer(None, REASONS.get(reopened[-1], reopened[-1]))
    if not mentions.said(mention).cued and "alone" in (mentions.said(m).kind for m in others):
        return ParsedAnswer(None, "two answers")
    if mentions.taken_back(mention):
        return ParsedAnswer(None, "taken back")
    return mention.parsed("statement")


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


def _text_stated(mentions: Mentions) -> ParsedAnswer | None:
    """Accept the option whose text is presented: by a phrase, or as the first thing that is said."""
    text, options = mentions.text, mentions.options
    found = mentions.texts() if options.longest else []
    if not found or CUT_OFF.search(text) or (len(text) > SHORT_CHARS and not ENDS.search(text)):
        return None
    if any(mentions.said(m).kind in SOFT and mentions.said(m).cued for m in mentions.letters):
        return None
    mention = _last_presented(mentions, found)
    opening = [m for m in found if m.start < mentions.first_break]
    several = len(found) > 1 or _asserted_first(mentions, found[0])
    if len(opening) == 1 and several and not options.bare(opening[0].letter):
        first = mentions.said(opening[0]).kind in ("", "cue", "firm", "alone")
        first = first and not (mention and CONCLUDES.search(mentions.said(mention).frame))
        mention = opening[0] if first and not options.numeric(opening[0].letter) else mention
    if mention is None or mentions.unsaid_after(mention):
        return None
    if options.numeric(mention.letter) and mention.start < mentions.last_break:
        return None  # a number on the way to another one
    if mentions.taken_back(mention):
        return ParsedAnswer(None, "taken back")
    return mention.parsed("statement")


def _asserted_first(mentions: Mentions, mention: Mention) -> bool:
    """Say whether an option ends a first sentence that evidence follows: "He is rowing. This is seen from …"."""
    before, end = mentions.text[: mention.start], mentions.first_break
    closes = _CLOSES.fullmatch(mentions.text, mention.end, end)
    return bool(closes and _ASSERTS.search(before) and _EVIDENCE.match(mentions.text, end))


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
    broken = BROKEN_OFF.search(text) is not None
    amid = mentions.first_break < mention.start and (broken or mention.end < len(text) - NEAR_CHARS)
    if not amid or (mention.own and not broken):
        return True
    return not said.frame.isascii() or bool(_ANSWERING.search(said.frame))


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
        return alone and not CUT_OFF.search(text)  # "The action is C. doing laundry"
    if head:
        marked = mention.own or text[mention.at - 1 : mention.at] in tuple("([{【「")
        marked = marked or text[mention.at + 1 : mention.at + 2] in tuple(")]】")
        return marked or bool(_SET_OFF.match(follows))
    if mention.start < text.rstrip().rfind("\n") + 1 or said.kind != "alone":
        return False
    if BROKEN_OFF.search(text):
        return False  # the next head of a review
    if text[line : mention.start].strip(" -*>|#") and not text.rstrip().endswith(tuple(".!)。")):
        return False  # broken off: "Let me look at each. Option A"
    return text[mention.at].isupper() or mention.wrapped
