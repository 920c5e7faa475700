"""Rules 7 to 10, where an option stands within the answer: echoes and open choices out, then cues, letters, texts.

>>> cue_phrase(Answer("So the answer is B.")), only_letter(Answer("Stop (B)"))
(Choice(letter='B', rule='cue phrase'), Choice(letter='B', rule='only letter'))
"""

from __future__ import annotations

import re

from t2vid.judging import phrases as say
from t2vid.judging.answer import Answer, Choice
from t2vid.judging.commitment import unfinished
from t2vid.judging.mentions import Mention, conditional
from t2vid.judging.options import normal
from t2vid.judging.stance import stance
from t2vid.judging.whole import letter_alone, letter_and_text, option_text

_REOPENS = ("pair", "maybe", "if")
_OPEN = {
    "pair": "two answers",
    "maybe": "hedge",
    "if": "condition",
    "asked": "question",
    "quoted": "quotation",
    "example": "example",
}
_ABOUT_OPTION = re.compile(
    r"(?:^|[\s(])[A-J]\)? (?:says|mentions|states|reads|talks about|refers to)\b"
)
_AGAIN = re.compile(
    r"\b(?:again|actually|wait|hmm+|correct(?:ion|ed)|sorry|oops|on (?:second|reflection)|instead|revis\w+|chang\w+|replac\w+|should (?:be|read)|mistake|edit|erratum)\b",
    re.IGNORECASE,
)
_SENTENCE = re.compile(r"[.!?](?=\s)|[。！？\n]")
_INSTRUCTION = re.compile(
    r"(?:please\s+)?(?:answer with the option'?s letter from the given choices directly|please directly give the best option|only give the best option|"
    r"select the best answer to the following[^.\n]*|respond with only the letter[^.\n]*|answer with (?:only )?(?:the|a single) (?:option )?letter[^.\n]*)[.:]?",
    re.IGNORECASE,
)


def echo(answer: Answer) -> Choice | None:
    """Take out the repeated question and option list; stop where two letters are given as one answer.

    >>> kept = Answer("A. cat\\nB. dog\\n\\nB", ["cat", "dog"]); echo(kept)
    Choice(letter='B', rule='letter alone')
    >>> echo(Answer("A. cat\\nB. dog", ["cat", "dog"]))
    Choice(letter=None, rule='echo')
    >>> echo(Answer("Answer: A, D")), echo(Answer("It could be B.")), echo(Answer("If it is red, A."))
    (Choice(letter=None, rule='two answers'), Choice(letter=None, rule='hedge'), Choice(letter=None, rule='condition'))
    """
    text = _INSTRUCTION.sub(" ", answer.text) if len(answer.text) > 20 else answer.text
    text = answer.options.without_list(_without_question(text, answer.question))
    if text != answer.text:
        answer.text = text.strip(" \t\r\n")
        if not answer.text.strip(" \n.:,;-()[]"):
            return Choice(None, "echo")
        again = letter_alone(answer) or option_text(answer) or letter_and_text(answer)
        if again is not None:
            return again
    return _undecided_pair(answer.mentions())


def _without_question(text: str, question: str) -> str:
    if len(question) < 8 or len(text) < len(question):
        return text
    at = text.casefold().find(question.strip().casefold())
    return text if at < 0 else (text[:at] + "\n" + text[at + len(question.strip()) :])


def _undecided_pair(mentions: list[Mention]) -> Choice | None:
    firm = [m for m in mentions if m.kind == "cue"]
    soft = [m for m in mentions if m.kind in _OPEN]
    if not soft:
        return None
    if not firm:
        return Choice(None, _OPEN[soft[-1].kind])
    last = firm[-1]
    after = [
        m
        for m in soft
        if m.start > last.start and m.letter != last.letter and m.cued and m.kind in _REOPENS
    ]
    return Choice(None, _OPEN[after[-1].kind]) if after else None


def cue_phrase(answer: Answer) -> Choice | None:
    """Accept the last letter that a phrase presents as the answer and nothing denies, then the same for option texts.

    >>> cue_phrase(Answer("The answer is A. Sorry, I mean B."))
    Choice(letter='B', rule='cue phrase')
    >>> cue_phrase(Answer("The answer is B. I rejected C and D."))
    Choice(letter='B', rule='cue phrase')
    >>> cue_phrase(Answer("The answer is A dog.")), cue_phrase(Answer("I doubt the answer is B."))
    (None, None)
    >>> cue_phrase(Answer("Option C is the better of the two.", ["x", "y"]))
    Choice(letter=None, rule='no such option')
    """
    firm = [m for m in answer.mentions() if m.kind == "cue"]
    if firm:
        letter = firm[-1].letter
        named = answer.options.exact(letter.lower())
        if named not in (None, letter) and answer.text[firm[-1].start].islower():
            two = letter in answer.options.letters
            return Choice(None, "two answers") if two else Choice(named, "cue phrase")
        if letter not in answer.options.letters:
            return Choice(None, "no such option")
        later = [
            m
            for m in answer.mentions()
            if m.start > firm[-1].end and m.kind in ("weak", "plain") and m.letter != letter
        ]
        if later and _AGAIN.search(answer.text, firm[-1].end, later[-1].start):
            sure = later[-1].kind == "weak" and later[-1].letter in answer.options.letters
            return Choice(later[-1].letter, "cue phrase") if sure else Choice(None, "two answers")
        if say.TAKEN_BACK.search(answer.text, max(m.end for m in answer.mentions())):
            return Choice(None, "taken back")
        return Choice(letter, "cue phrase")
    soft = {m.letter for m in answer.mentions() if m.kind == "weak"}
    if len(soft) == 1:
        letter = soft.pop()
        known = letter in answer.options.letters
        plain = {m.letter for m in answer.mentions() if m.kind == "plain"} - {letter}
        if not plain:
            return Choice(letter, "cue phrase") if known else Choice(None, "no such option")
    if soft:
        return Choice(None, "two answers")
    named = answer.options.after_cue(answer.text)
    return _text_choice(answer, named, "cue phrase")


def only_letter(answer: Answer) -> Choice | None:
    """Accept the only letter that stands alone, where it is no article, no name and not denied.

    >>> only_letter(Answer("Stop (B)")), only_letter(Answer("Not A, rather D."))
    (Choice(letter='B', rule='only letter'), Choice(letter='D', rule='only letter'))
    >>> only_letter(Answer("Vitamin C")), only_letter(Answer("B is wrong.")), only_letter(Answer("B-movie"))
    (None, None, None)
    """
    letters = {m.letter for m in answer.mentions() if m.kind in ("plain", "cue", "weak")}
    if len(letters) != 1:
        return Choice(None, "two answers") if len(letters) > 1 else None
    letter = letters.pop()
    return Choice(letter, "only letter") if letter in answer.options.letters else None


def text_contained(answer: Answer) -> Choice | None:
    """Accept the only option text in the answer: the longest of nested ones, yes and no at the start, whole numbers.

    >>> text_contained(Answer("He is walking the dog.", ["walking", "walking the dog", "sitting"]))
    Choice(letter='B', rule='text contained')
    >>> text_contained(Answer("I see 13.", ["1", "3"])), text_contained(Answer("There is no cat.", ["yes", "no"]))
    (None, None)
    >>> text_contained(Answer("It is not walking.", ["walking", "sitting"]))
    >>> text_contained(Answer("I cannot tell whether he is walking.", ["walking", "sitting"]))
    """
    if unfinished(answer.text) or _ABOUT_OPTION.search(answer.text):
        named = answer.options.contained(answer.text)
        own = named and normal(answer.text) in answer.options.text_of(named)
        if not own:
            return None
    return _text_choice(answer, answer.options.contained(answer.text), "text contained")


def _text_choice(answer: Answer, letter: str | None, rule: str) -> Choice | None:
    """Accept an option by its text where its letter is not denied and some sentence commits to it."""
    if letter is None:
        return None
    if any(m.letter == letter and m.kind == "no" for m in answer.mentions()):
        return None
    wanted = answer.options.raw[answer.options.letters.index(letter)].strip().rstrip(".").casefold()
    said = answer.text.casefold()
    kinds = []
    at = said.find(wanted) if wanted else -1
    while at >= 0:
        start = max((b.end() for b in _SENTENCE.finditer(answer.text, 0, at)), default=0)
        before, after = answer.text[start:at], answer.text[at + len(wanted) :][:120]
        imagined = conditional(before, after, answer.question)
        kinds.append("if" if imagined else stance(before, after))
        at = said.find(wanted, at + len(wanted))
    if kinds and all(kinds):
        return Choice(None, _OPEN.get(kinds[-1] or "", "denied"))
    if say.TAKEN_BACK.search(answer.text, said.rfind(wanted) + len(wanted) if kinds else 0):
        return Choice(None, "taken back")
    return Choice(letter, rule)
