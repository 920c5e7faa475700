"""Every option letter in a text with the way it is used: presented, denied, hedged, joined, or only standing there.

>>> [(m.letter, m.kind) for m in find_mentions("It isn't B, it is C; a man takes Vitamin D.", "ABCD")]
[('B', 'no'), ('C', 'cue')]
"""

from __future__ import annotations

import re
from collections.abc import Mapping
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
        cued: whether a cue stands before it, whatever the kind.
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
        after = text[last.end() : last.end() + AFTER_CHARS]
        for one in group:
            kind, cued = _kind(
                text,
                one,
                group,
                before,
                after,
                letters,
                asked,
                one.start() in items,
                (texts or {}).get(one[0].upper(), ""),
            )
            if kind:
                mentions.append(Mention(one[0].upper(), one.start(), one.end(), kind, cued))
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


def _kind(
    text: str,
    one: re.Match[str],
    group: list[re.Match[str]],
    before: str,
    after: str,
    letters: str,
    asked: str,
    item: bool,
    own_text: str,
) -> tuple[str, bool]:
    letter = one[0]
    valid = letter.upper() in letters
    joined = len({m[0].upper() for m in group}) > 1
    if joined and not all(m[0].upper() in letters for m in group):
        return ("", False)  # R&B, A/C
    if say.SPECIES.match(after) or is_name(before):
        return ("", False)
    cued = bool(say.CUE_BEFORE.search(before))
    wrapped = bool(
        _WRAPPED_BEFORE.search(text[: one.start()][-2:])
        and _WRAPPED_AFTER.match(text[one.end() : one.end() + 4])
    )
    if letter in "AI" and is_article(text, one.end()) and not wrapped:
        return ("", False)
    if letter == "I" and not wrapped and is_pronoun(text, one, before, cued):
        return ("", False)
    last = not text[one.end() :].strip(" .!") and bool(say.WEAK_BEFORE.search(before))
    if letter.islower() and not (cued or wrapped or last):
        return ("", False)
    if (
        letter.islower()
        and not wrapped
        and not (closes(after) or say.MAY_FOLLOW.match(after.lstrip()))
    ):
        return ("", False)
    spared = say.EXCEPT_BEFORE.search(before)
    if spared and (spared["none"] or say.EXCEPT_AFTER.match(after)):
        return ("cue", True)
    if say.SEEN_BEFORE.search(before) or say.SEEN_AFTER.match(after):
        return ("", False)
    if say.SUPERLATIVE_AFTER.match(after) and valid and not say.DENIED_BEFORE.search(before):
        taken = stance(before, after)
        return (taken, True) if taken else ("cue", True)
    if wrapped and own_text and normal(before).endswith(own_text):
        return (stance(before, after) or "cue", True)
    if (
        say.DENIED_BEFORE.search(before)
        or say.REFUTED_AFTER.match(after)
        or (
            say.DENIED_AFTER.match(after)
            and not (own_text and normal(after).startswith(own_text))
            and (not cued or say.COPULA_AFTER.match(after))
        )
        or say.RETRACTED_BEFORE.search(before)
    ):
        return ("no", cued)
    if say.AFFIRMED_AFTER.match(after):
        return ("cue", cued)
    if conditional(before, after, asked):
        return ("if", cued)
    if not (own_text and normal(after).startswith(own_text)):
        taken = stance(before, after)
        if taken and not (taken == "if" and asked):
            return (taken, cued)
    if say.MAYBE_BEFORE.search(before) or (
        say.MAYBE_AFTER.match(after) and not (own_text and normal(after).startswith(own_text))
    ):
        return ("maybe", cued)
    if joined:
        return ("pair", cued)
    presented = (
        cued
        or bool(say.CUE_AFTER.match(after))
        or is_sentence(before, after)
        or (bool(say.STATED_BEFORE.search(before)) and closes(after))
    )
    if not valid:
        return ("cue", cued) if presented and letter.isupper() else ("", False)
    if item and not cued and not say.CUE_AFTER.match(after):
        return ("", False)
    if presented:
        return ("cue", cued)
    if say.WEAK_BEFORE.search(before) and (closes(after) or say.MAY_FOLLOW.match(after.lstrip())):
        return ("weak", cued)
    return ("plain", cued) if wrapped or stands(before, after) else ("", False)


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
