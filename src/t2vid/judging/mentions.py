"""Every option letter in a text with the way it is used: presented, denied, hedged, joined, or only standing there.

>>> [(m.letter, m.kind) for m in find_mentions("It isn't B, it is C; a man takes Vitamin D.", "ABCD")]
[('B', 'no'), ('C', 'cue')]
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from t2vid.judging import phrases as say
from t2vid.judging.options import normal
from t2vid.judging.stance import last_statement, stance
from t2vid.judging.standing import (
    before_noun,
    closes,
    is_article,
    is_name,
    is_pronoun,
    is_sentence,
    stands,
)

BEFORE_CHARS = 110  # a cue further away than this is about something else
AFTER_CHARS = 60
MAX_LETTERS = 200  # of a longer text the letters at both ends are read


class Mention(NamedTuple):
    """One letter in a text.

    Attributes:
        letter: the letter, as a capital.
        start: where it stands.
        end: where it ends.
        kind: `cue` presented as the answer, `weak` named as an option, `plain` standing alone where an answer may
            stand, `pair` joined with another, or one of `stance`: `no`, `maybe`, `if`, `asked`, `quoted`, `example`.
        cued: for a `pair`, a `maybe` or an `if`: whether a cue stands before it all the same.
    """

    letter: str
    start: int
    end: int
    kind: str
    cued: bool = False


_BREAK = re.compile(
    r"(?<!\bDr)(?<!\bMr)(?<!\bMs)(?<!\bMrs)(?<!\bSt)(?<!\bProf)(?<!\bvs)(?<!e\.g)(?<!i\.e)(?<!z\.B)(?<!p\.ej)(?<!p\.ex)[.!?。！？;；](?=[\s\"'”)\]]|$)|\n|[。！？；]"
)
_LINE_ITEM = re.compile(r"^\s*[.):\]、]\s*(?=\S)")
_WRAPPED_BEFORE = re.compile(r"[(\[{【「『《]\s*$")
_WRAPPED_AFTER = re.compile(r"^\s*[.]?\s*[)\]}】」』》]")


_REMARK = re.compile(
    r"[)\]]\**\s+(?:Please|Let|Feel|Tell|I\b|Hope|Thank|If you|Note|Would|Do you|Should you|Just|Sorry|PS)"
)
_CHANGED = re.compile(
    r"\b(?:chang|switch|mov|revis|correct)\w*(?: \w+){0,3} from\s*\W?$", re.IGNORECASE
)


def find_mentions(
    text: str, letters: str, question: str = "", texts: Mapping[str, str] | None = None
) -> list[Mention]:
    """Find the letters of a text.

    Args:
        text: the answer, cut and without markup.
        letters: the valid letters; others are reported only where a cue presents them.
        question: the question; its own condition ("If the ball is removed, ...") is none of the answer.
        texts: the normalised option text of each letter; "B. no" denies nothing where B is "no".
    """
    found = list(say.LETTER.finditer(text))
    if not found:
        return []
    if len(found) > MAX_LETTERS:
        found = found[: MAX_LETTERS // 2] + found[-MAX_LETTERS // 2 :]
    breaks = [0, *(b.end() for b in _BREAK.finditer(text)), len(text)]
    groups = _groups(text, found)
    asked = question.casefold() if " if " in f" {question.casefold()}" else ""
    mentions: list[Mention] = []
    items = _items(text, found)
    for group in groups:
        first, last = group[0], group[-1]
        before = _before(text, first.start(), breaks)
        after = _after(text, last.end(), before)
        named = {one[0].upper() for one in group}
        if len(named) > 1 and not named <= set(letters):
            continue  # R&B, A/C
        for one in group:
            letter = one[0].upper()
            place = _Place(
                text,
                one.start(),
                one.end(),
                before,
                after,
                letter in letters,
                len(named) > 1,
                one.start() in items,
                asked,
                (texts or {}).get(letter, ""),
            )
            kind = _kind(place)
            if kind:
                cued = kind in ("pair", "maybe", "if") and place.cued
                mentions.append(Mention(letter, one.start(), one.end(), kind, cued))
    return mentions


def _groups(text: str, found: list[re.Match[str]]) -> list[list[re.Match[str]]]:
    groups = [[found[0]]]
    for previous, one in zip(found, found[1:], strict=False):
        between = text[previous.end() : one.start()]
        if (
            len(between) < 40
            and one[0].upper() not in {known[0].upper() for known in groups[-1]}
            and say.JOIN.match(between)
            and not (one[0] in "AI" and before_noun(text, one.end()))
            and not _CHANGED.search(text[max(0, previous.start() - 30) : previous.start()])
            and not (
                say.COMMA_ONLY.match(between)
                and say.CUE_AFTER.match(text[one.end() : one.end() + 40])
            )
            and not _split_by_comma(text, previous, one, between)
        ):
            groups[-1].append(one)
        else:
            groups.append([one])
    return groups


def _split_by_comma(text: str, left: re.Match[str], right: re.Match[str], between: str) -> bool:
    """Tell "not A, B" and "isn't B, C is" from "A, B": a comma alone after a denial joins nothing."""
    if not say.COMMA_ONLY.match(between):
        return False
    return bool(say.DENIED_BEFORE.search(text[max(0, left.start() - BEFORE_CHARS) : left.start()]))


def _items(text: str, found: list[re.Match[str]]) -> set[int]:
    """Give the starts of letters that head an item ("A: absent. B: present."), where two or more letters do."""
    heads = {}
    for one in found:
        if _LINE_ITEM.match(text[one.end() : one.end() + 4]) and re.search(
            r"(?:^|[\n.;!?,])[\s(\[\-•*]*(?:option |choice )?[(\[]?$",
            text[max(0, one.start() - 14) : one.start()],
            re.IGNORECASE,
        ):
            rest = re.split(r"[.\n;!?]", text[one.end() + 1 : one.end() + 80], maxsplit=1)[0]
            if re.search(r"\w", rest):
                heads[one.start()] = one[0].upper()
    return set(heads) if len(set(heads.values())) > 1 else set()


def _before(text: str, start: int, breaks: list[int]) -> str:
    left = max((b for b in breaks if b <= start), default=0)
    return text[max(left, start - BEFORE_CHARS) : start]


def _after(text: str, end: int, before: str) -> str:
    """Give what follows, up to an empty line, or nothing where "(B) Please ..." starts another sentence."""
    after = text[end : end + AFTER_CHARS].split("\n\n")[0]
    if not before.strip(" ([*") and _REMARK.match(after):
        return ")"
    return after


@dataclass
class _Place:
    """A letter where it stands: its sentence up to it, and what follows, for a group beyond the group."""

    text: str
    start: int
    end: int
    before: str
    after: str
    known: bool
    joined: bool
    item: bool
    asked: str
    own_text: str

    @property
    def letter(self) -> str:
        return self.text[self.start]

    @cached_property
    def cued(self) -> bool:
        return bool(say.CUE_BEFORE.search(self.before))

    @cached_property
    def wrapped(self) -> bool:
        return bool(
            _WRAPPED_BEFORE.search(self.text[max(0, self.start - 2) : self.start])
            and _WRAPPED_AFTER.match(self.text[self.end : self.end + 4])
        )

    @cached_property
    def denied_before(self) -> bool:
        return bool(say.DENIED_BEFORE.search(self.before))

    @cached_property
    def with_own_text(self) -> bool:
        """Whether the option's own words follow, whose "no" and "may" deny and hedge nothing."""
        return bool(self.own_text) and normal(self.after).startswith(self.own_text)

    @property
    def ends(self) -> bool:
        return closes(self.after) or bool(say.MAY_FOLLOW.match(self.after.lstrip()))


def _kind(at: _Place) -> str:
    """Say how a letter is used, empty where it is none; the first reason that applies counts."""
    if not _is_letter(at):
        return ""
    spared = say.BUT_WORD.search(at.before) and say.EXCEPT_BEFORE.search(at.before)
    if spared and spares(spared, at.after):
        return "cue"
    if say.SEEN_BEFORE.search(at.before) or say.SEEN_AFTER.match(at.after):
        return ""
    best = at.known and say.SUPERLATIVE_AFTER.match(at.after) and not at.denied_before
    names_text = at.wrapped and at.own_text and normal(at.before).endswith(at.own_text)
    if best or names_text:
        return stance(at.before, at.after) or "cue"
    if _denied(at):
        return "no"
    if say.AFFIRMED_AFTER.match(at.after):
        return "cue"
    if conditional(at.before, at.after, at.asked):
        return "if"
    taken = None if at.with_own_text else stance(at.before, at.after)
    if taken and not (taken == "if" and at.asked):
        return taken
    if say.MAYBE_BEFORE.search(at.before):
        return "maybe"
    if say.MAYBE_AFTER.match(at.after) and not at.with_own_text:
        return "maybe"
    return "pair" if at.joined else _presented(at)


def _is_letter(at: _Place) -> bool:
    if say.SPECIES.match(at.after) or is_name(at.before):
        return False
    if at.letter in "AI" and is_article(at.text, at.end) and not at.wrapped:
        return False
    if at.letter == "I" and not at.wrapped and is_pronoun(at.text, at.end, at.before, at.cued):
        return False
    if at.letter.isupper() or at.wrapped:
        return True
    last = not at.text[at.end :].strip(" .!") and bool(say.WEAK_BEFORE.search(at.before))
    return at.ends and (at.cued or last)


def spares(spared: re.Match[str], after: str) -> bool:
    """Say whether what an exception spares is the answer: "none but B", not "anything but B"."""
    if spared["none"]:
        return True
    closed = not after.strip(" .!。)\"'”’")
    if spared["foreign"]:
        return not closed if spared["foreign"].startswith("除") else True
    return not closed and bool(say.EXCEPT_AFTER.match(after))


def _denied(at: _Place) -> bool:
    if at.denied_before or say.REFUTED_AFTER.match(at.after):
        return True
    if say.DENIED_AFTER.match(at.after) and not at.with_own_text:
        if not at.cued or say.COPULA_AFTER.match(at.after):
            return True
    return bool(say.RETRACTED_BEFORE.search(at.before))


def _presented(at: _Place) -> str:
    said_after = bool(say.CUE_AFTER.match(at.after))
    stated = bool(say.STATED_BEFORE.search(at.before)) and closes(at.after)
    presented = at.cued or said_after or stated or is_sentence(at.before, at.after)
    if not at.known:
        return "cue" if presented and at.letter.isupper() else ""
    if at.item and not at.cued and not said_after:
        return ""
    if presented:
        return "cue"
    if say.WEAK_BEFORE.search(at.before) and at.ends:
        return "weak"
    return "plain" if at.wrapped or stands(at.before, at.after) else ""


def conditional(before: str, after: str, asked: str) -> bool:
    """Say whether a condition governs what stands between `before` and `after`; the question's own does not."""
    if say.CONDITION_AFTER.match(after) and not say.NO_CONDITION.search(after):
        return True
    before = last_statement(before)
    found = say.CONDITION_BEFORE.search(before)
    if not found:
        return False
    clause = before[found.start() :].casefold().split(",")[0].strip()
    if asked and len(clause) > 8 and clause in asked:
        return False
    return not say.NO_CONDITION.search(before)
