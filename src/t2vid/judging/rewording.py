"""Rules 11 and 13: an answer nothing was found in is read again with its texts, ordinals and typing errors written as letters.

>>> reworded_letters(Answer("The third option.")), reworded_letters(Answer("teh awnser is A bc it fits"))
(Choice(letter='C', rule='ordinal'), Choice(letter='A', rule='spelling'))
"""

from __future__ import annotations

import re
from functools import lru_cache

from t2vid.judging.answer import Answer, Choice
from t2vid.judging.commitment import uncommitted
from t2vid.judging.whole import letter_alone
from t2vid.judging.within import cue_phrase, echo, only_letter

FLAGS = re.IGNORECASE
_ORDINALS = {
    word: place
    for place, words in enumerate(
        (
            "first 1st primera primero premier première erste ersten prima primo primeira первый один 一 1",
            "second 2nd segunda segundo deuxième seconde zweite zweiten seconda secondo второй 二 2 两",
            "third 3rd tercera tercero troisième dritte dritten terza terceira третий 三 3",
            "fourth 4th cuarta cuarto quatrième vierte vierten quarta четвёртый четвертый 四 4",
            "fifth 5th quinta quinto cinquième fünfte fünften пятый 五 5",
            "sixth 6th sexta sixième sechste sechsten sesta шестой 六 6",
            "seventh 7th séptima septième siebte siebten settima sétima 七 7",
            "eighth 8th octava huitième achte achten ottava oitava 八 8",
            "ninth 9th novena neuvième neunte neunten nona 九 9",
            "tenth 10th décima dixième zehnte zehnten decima 十 10",
        )
    )
    for word in words.split()
}
_ORDINALS |= dict.fromkeys("last letzte letzten última dernière ultima последний 最后".split(), -1)
_WORD = "|".join(sorted(map(re.escape, _ORDINALS), key=len, reverse=True))
_ORDINAL = re.compile(
    rf"\b(?:(?:the|la|el|le|die|der|das|l['’])\s*)?(?<!\bmy )(?<!\bat )\b({_WORD})\s+(?:\w+ )?(?:option|choice|answer|alternative|candidate|statement|possibility|opci[oó]n|alternativa|respuesta|r[eé]ponse|antwort|möglichkeit|opzione|risposta|op[cç][aã]o|resposta|вариант|ответ)(?! (?:is|would be|was) to\b)(?:\s+(?:in|of|on|from) the list)?"
    rf"|\b(?:it['’]?s|is|choose|pick|select|say|with|take|:)\s+(?:the\s+)({_WORD}) (?:one|of the (?:list|options|choices|answers|four|five|three))"
    rf"|\b(?:option|choice|answer)\s+(?:number |no\.? ?|nr\.? ?|#)({_WORD})\b"
    rf"|第\s*({_WORD})\s*(?:个|個|项|項|つの?)?(?:选项|選項|选择|選択肢|答案|项|項|个|個)|({_WORD})(?:番目|つ目)の?(?:選択肢)?",
    FLAGS,
)
_SAID = re.compile(r"[^\W_]+")
_MINE = re.compile(r"\b(?:my|your|his|her|their)\s+(?:very )?$", FLAGS)

_CUE_WORDS = (
    "answer option choice choose correct response definitely probably certainly clearly should believe final letter select"
).split()
_REAL_WORDS = frozenset(
    "potion opinion chose chosen finale finals latter better setter elect clearer relieve".split()
)
_KNOWN = {
    "teh": "the",
    "pik": "pick",
    "pic": "pick",
    "beleive": "believe",
    "thnk": "think",
    "corect": "correct",
    "anwser": "answer",
    "shoud": "should",
    "definately": "definitely",
    "probly": "probably",
    "defo": "definitely",
    "bc": "because",
    "cuz": "because",
    "coz": "because",
    "rite": "right",
}
_TOKEN = re.compile(r"\b[A-Za-z]{2,12}\b(?!['’])")
_PLACE = re.compile(r"\b(?:first|second|third|fourth|fifth|sixth|last)\b", FLAGS)
_TURNS = re.compile(
    r"\b(?:but|actually|really|instead|turn(?:s|ed) out|in (?:reality|fact|truth)|wait|sorry|correction|rather|now|however|yet)\b|[但其]",
    FLAGS,
)
_GLUED = re.compile(r"\b([Oo]ption|OPTION|[Aa]nswer|ANSWER|[Cc]hoice|CHOICE)(?:_|-)?([A-J])\b")
_B_FOR_BE = re.compile(r"\b(must|should|has to|can only|gotta|got to) b (?=[A-J]\b)", FLAGS)


def reworded_letters(answer: Answer) -> Choice | None:
    """Read ordinals as letters where no letter stands, then the words meant by typing errors.

    >>> reworded_letters(Answer("My first choice would be to watch it again."))
    >>> reworded_letters(Answer("Either the first or the second option."))
    >>> reworded_letters(Answer("In my opinion it rains.")), reworded_letters(Answer("Optoin D"))
    (None, Choice(letter='D', rule='spelling'))
    """
    if not any(m.letter in answer.options.letters for m in answer.mentions()):
        places = _places_as_letters(answer.text, answer.options.letters)
        if places != answer.text:
            found = _again(answer, places)
            return Choice(found, "ordinal") if found else None
    if len(answer.text) > 400:
        return None
    spelled = _B_FOR_BE.sub(r"\1 be ", _GLUED.sub(r"\1 \2", answer.text))
    spelled = _TOKEN.sub(lambda m: _meant(m[0]), spelled)
    if spelled == answer.text:
        return None
    found = _again(answer, spelled)
    return Choice(found, "spelling") if found else None


def reworded_texts(answer: Answer) -> Choice | None:
    """Read two or more option texts of an answer as their letters, so that contrasts between them count.

    >>> reworded_texts(Answer('"cat" is wrong; "dog" is right.', ["cat", "dog"]))
    Choice(letter='B', rule='text for letter')
    >>> reworded_texts(Answer("I see a cat and a dog.", ["cat", "dog"]))
    """
    if not answer.options.longest or any(
        m.letter in answer.options.letters for m in answer.mentions()
    ):
        return None
    text, named = answer.options.as_letters(answer.text)
    if len(named) < 2:
        return None
    part = Answer(text, None, answer.question)
    part.options = answer.options
    found = _again(answer, text)
    rivals = [
        m for m in part.mentions() if m.letter != found and m.kind in ("cue", "weak", "plain")
    ]
    if not found or rivals and not _TURNS.search(text, rivals[-1].end):
        return None
    return Choice(found, "text for letter")


def _again(answer: Answer, text: str) -> str | None:
    part = Answer(text, None, answer.question)
    part.options = answer.options
    for rule in (letter_alone, uncommitted, echo, cue_phrase, only_letter):
        choice = rule(part)
        if choice is not None:
            return choice.letter
    return None


def _places_as_letters(text: str, letters: str) -> str:
    def letter(match: re.Match[str]) -> str:
        word = next(group for group in match.groups() if group)
        place = _ORDINALS[word.casefold()]
        if place >= len(letters) or _MINE.search(text[: match.start()]):
            return match[0]
        kept = match[0].split()[0] + " " if match[2] else ""
        return f"{kept}option {letters[place]}"

    words = set(_SAID.findall(text.casefold()))
    if not words & _ORDINALS.keys() and not any(mark in text for mark in "第番目"):
        return text
    if len(_PLACE.findall(text)) > len(_ORDINAL.findall(text)):
        return text  # "either the first or the second option"
    return _ORDINAL.sub(letter, text)


@lru_cache(maxsize=16_384)
def _meant(word: str) -> str:
    """Give the cue word a word is a typing error of, else the word."""
    low = word.casefold()
    if low in _KNOWN:
        return _KNOWN[low]
    if len(low) < 4 or low in _REAL_WORDS or low in _CUE_WORDS:
        return word
    for cue in _CUE_WORDS:
        if abs(len(cue) - len(low)) > 1 or cue[0] != low[0] and cue[1] != low[0]:
            continue
        if sorted(cue) == sorted(low) or _one_edit(cue, low):
            return cue
    return word


def _one_edit(cue: str, word: str) -> bool:
    """Say whether one letter added, left out or changed makes `word` of `cue`; plurals are words of their own."""
    start = next(
        (i for i, (a, b) in enumerate(zip(cue, word, strict=False)) if a != b),
        min(len(cue), len(word)),
    )
    if len(cue) == len(word):
        return cue[start + 1 :] == word[start + 1 :]
    longer, shorter = (cue, word) if len(cue) > len(word) else (word, cue)
    return not word.endswith(cue[-2:] + "s") and longer[start + 1 :] == shorter[start:]
