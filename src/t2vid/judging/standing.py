"""Is this capital a letter for an option, or an article, the writer, a name?

>>> is_name("She takes Vitamin "), is_sentence("", "."), closes(" dog barks")
(True, True, False)
"""

from __future__ import annotations

import re

from t2vid.judging import phrases as say

_END = re.compile(r"^[\"'“”‘’«»)\]}>】」』》]*\s*(?:[.,:;!)(\]。、，…|/]|[-–—]\s|$|\n)")
_LABELLED = re.compile(r"\b(?:option|choice|answer|letter)\s*$", re.IGNORECASE)
_ARTICLE_OK = re.compile(
    r"^[\"'”’)\]}]*\s*(?:[.,:;!?)(\]。、，|]|$|\n|[-–—]\s|\s(?:is|was|seems|looks|appears|fits|matches|wins|works|describes|because|since|as (?:it|the|he|she|they|we|there|a|an|this|that|no|his|her)\b|\w+ly(?=\s*[.!,]|\s*$)|are\b|must|has to|would be|should|it is|and not|not|rather than|over|instead|"
    r"for sure|without|then|on this|on the basis|i (?:think|guess|believe|suppose|reckon|say)|gets|with confidence|stands out|alone|applies|happens|agrees|aligns|corresponds|porque|parce|car|comme|puisque|denn|pues|stimmt|passt|sagen|wählen|exactly|to me|weil|da\b|given|due|captures|reflects|makes|best|correctly|holds|remains|stands|all the way|is\b|isn|doesn|can|cannot|does|contradicts|fails|if|or|and|for me|for this|for certain|here|please|hands down|ist|est|es|è|é|adalah)\b|[^\x00-\x7f])",
    re.IGNORECASE,
)
_TAIL_WORD = re.compile(r"([^\W\d_]+(?:['’][^\W\d_]+)?)\.?[\s\"'“‘]*$")
_ARTICLE_NOUN = re.compile(
    r"\s+(?!or\b|and\b|remain\b|survive\b|stay\b|both\b|work\b|apply\b|are\b|is\b|both\b|fit\b|but\b)[a-z]{2,}"
)
_I_LETTER = re.compile(
    r"\s+(?:is|matches|fits|holds|works|describes|gets|wins|stands|applies|because|seems)\b|\s+(?:and|or)\s+[A-J]\b|[^\x00-\x7f]|\s+[^\x00-\x7f]"
)
_SURELY_LETTER = re.compile(
    r"\s+(?:is|fits|matches|holds|seems|wins|describes|does)\b|[\u2e80-\ufeff]"
)
_LAST_WORD = re.compile(r"([^\W\d_]+)[\s.,!;…\"'“‘-]*$")
_TRAILS = re.compile(
    r"^\s*(?:\.\.|…|,\s*(?:as|for one|uh|um|er|well|personally|myself|too|also)\b|[-–—]+\s*[a-z])|^\.\s+[a-z]"
)
_STARTS = frozenset(
    "so thus hence therefore but sorry no wait actually well finally overall and then okay ok hmm yes however because since that honestly unfortunately apologies if while although".split()
)
_CASE = re.compile(r"\b(?:that|this|which|any|either) case\s*,?\s*$", re.IGNORECASE)


def closes(after: str) -> bool:
    """Say whether what follows a letter ends it: punctuation, a bracket, the end."""
    return bool(_END.match(after))


def is_article(text: str, end: int) -> bool:
    """Say whether the A (or I) that ends at `end` is followed by what no option letter takes.

    >>> is_article("A man is walking", 1), is_article("A fits best", 1)
    (True, False)
    """
    return not (
        _ARTICLE_OK.match(text[end : end + 24]) or say.CUE_AFTER.match(text[end : end + 40])
    )


def before_noun(text: str, end: int) -> bool:
    """Say whether a noun follows, so that "C, A dog" joins no letters."""
    return bool(_ARTICLE_NOUN.match(text, end))


def is_pronoun(text: str, end: int, before: str, cued: bool) -> bool:
    """Say whether a capital I is the writer: no cue for a letter, or nothing after it that a letter takes."""
    after = text[end : end + 24]
    if _SURELY_LETTER.match(after):
        return False
    if not (
        _END.match(after)
        or say.CUE_AFTER.match(after)
        or _LABELLED.search(before)
        or _I_LETTER.match(after)
    ):
        return True
    word = _LAST_WORD.search(before)
    if word is None:
        return bool(_TRAILS.match(after))
    if word[1].casefold() in _STARTS or _TRAILS.match(after):
        return True
    return not (cued or say.WEAK_BEFORE.search(before) or before.rstrip().endswith((":", "=")))


def is_name(before: str) -> bool:
    """Say whether the word before the letter makes it a name: "Vitamin C", "Gate C"."""
    word = _TAIL_WORD.search(before)
    # the cue is the dearest of the patterns: it is asked last
    if word is None or word[1].casefold() not in say.ENTITY or _CASE.search(before):
        return False
    return not say.CUE_BEFORE.search(before)


def is_sentence(before: str, after: str) -> bool:
    """Say whether the letter is a sentence or a line of its own."""
    if before.strip(" \t\"'“‘«([{【「-–—•>*"):
        return False
    rest = after.lstrip("\"'”’»)]}】」")
    return (
        not rest
        or rest[0] in "\n"
        or bool(re.match(r"[.!。]\s*(?:[A-Z\n\"'(]|$)", rest))
        or rest.strip() == ""
    )


def stands(before: str, after: str) -> bool:
    """Say whether an answer may stand here: closed on the right, and no noun on the left."""
    if not (_END.match(after) or say.MAY_FOLLOW.match(after.lstrip())):
        return False
    if (
        not before.strip()
        or before.rstrip()[-1] in ",:;—–-(\"'“‘[{=>→|…/、，："
        or ord(before.rstrip()[-1]) > 0x2E80
    ):
        return True
    word = _TAIL_WORD.search(before)
    if word is None:
        return False
    return word[1].casefold() in say.MAY_PRECEDE or word[1].casefold().endswith("ly")
