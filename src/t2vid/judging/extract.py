"""Which option a free-text answer means: eleven ordered rules, each of which may answer, stop, or pass on.

>>> extract_choice("Option C is tempting, but the answer is B.", ["red", "blue", "green"])
Choice(letter='B', rule='cue phrase')
>>> extract_choice("A man is walking.", ["running", "jumping"])
Choice(letter=None, rule='undecided')

`letter` is None where the rules abstain; `rule` always says what decided. The published extractors take any capital
letter for an answer ("A man is walking" becomes A); here a wrong letter is worse than none, because a judge can still
answer what was left open and can never repair what was answered wrongly.
"""

from __future__ import annotations

import html
import json
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Literal, NamedTuple

from t2vid.errors import InputError
from t2vid.judging import phrases as say
from t2vid.judging.mentions import Mention, conditional, find_mentions
from t2vid.judging.options import Options, normal, read_options
from t2vid.judging.stance import stance

MAX_CHARS = 8_000  # an answer beyond this is a loop: its start and its end are kept

Scheme = Literal["t2vid", "paper"]


class Choice(NamedTuple):
    """What was extracted.

    Attributes:
        letter: the option letter, None where the rules abstain.
        rule: the rule that decided or stopped, one of the names in `RULES`, or why nothing did.
    """

    letter: str | None
    rule: str


class Answer:
    """An answer on its way through the rules; the preparing rules shorten `text`.

    Args:
        text: the model's words.
        options: the options, as `extract_choice` takes them; None means the letters A to E without texts.
        question: the question, whose echo is no answer.
    """

    def __init__(self, text: str, options: Any = None, question: str = "") -> None:
        self.text = text
        self.options: Options = read_options(options)
        self.question = question
        self._mentions: tuple[str, list[Mention]] | None = None

    def mentions(self) -> list[Mention]:
        """Give the option letters in the current text, each with the way it is used."""
        if self._mentions is None or self._mentions[0] != self.text:
            found = find_mentions(
                self.text, self.options.letters, self.question, self.options.by_letter
            )
            self._mentions = (self.text, found)
        return self._mentions[1]


Rule = Callable[[Answer], Choice | None]


def extract_choice(
    prediction: object,
    options: Sequence[str] | Mapping[str, str] | None,
    question: str = "",
    *,
    scheme: Scheme = "t2vid",
) -> Choice:
    """Read the chosen option out of a model's answer, or abstain.

    Args:
        prediction: the answer; None, NaN and anything unreadable count as empty.
        options: option texts in order, or by letter; None where only letters A to E are known.
        question: the question, so that its echo is not taken for an answer.
        scheme: `"t2vid"` for the rules of this module, `"paper"` for the decisions of the paper's script.

    Raises:
        InputError: for an unknown scheme or more than 26 options.
    """
    if scheme == "paper":
        return paper_choice(prediction)
    if scheme != "t2vid":
        raise InputError(f"scheme {scheme!r} is unknown; use 't2vid' or 'paper'")
    letters = len(options) if options else 5
    if type(prediction) is str and type(options) is not dict and prediction in _BARE:
        if _BARE[prediction] < letters:
            return _BARE_CHOICES[prediction]
    answer = Answer(_as_text(prediction), options, question if isinstance(question, str) else "")
    return _apply(RULES, answer)


def _apply(rules: Iterable[tuple[str, Rule]], answer: Answer) -> Choice:
    for _, rule in rules:
        choice = rule(answer)
        if choice is not None:
            return choice
    return Choice(None, "undecided")


def _as_text(prediction: object) -> str:
    if prediction is None or prediction != prediction:  # NaN is the one value unequal to itself
        return ""
    if isinstance(prediction, bytes):
        return prediction.decode("utf-8", "replace")
    if isinstance(prediction, (list, tuple)) and len(prediction) == 1:
        return _as_text(prediction[0])
    return prediction if isinstance(prediction, str) else str(prediction)


# ---------------------------------------------------------------------------------------------- 1 nothing to read

_LOOKALIKE = {0x1F170 + i: chr(65 + i) for i in range(26)}  # 🅰, which NFKC leaves alone
_LOOKALIKE |= {0x1F150 + i: chr(65 + i) for i in range(26)}  # 🅐
_LOOKALIKE |= {0x1F1E6 + i: chr(65 + i) for i in range(26)}  # 🇦
_INVISIBLE = dict.fromkeys(
    [
        0xAD,
        0xFEFF,
        *range(0x200B, 0x2010),
        *range(0x2028, 0x202F),
        *range(0x2060, 0x2065),
        0xFE0F,
        0xFE0E,
    ]
)
_ROLE = re.compile(
    r"^\s*(?:(?:<s>|<bos>|<\|begin_of_text\|>|<\|startoftext\|>|\[/INST\]|<\|im_start\|>|<start_of_turn>|<\|start_header_id\|>|<\|end_header_id\|>|"
    r"<\|assistant\|>|<｜Assistant｜>)\s*|(?:#+\s*)?(?:assistant|gpt|bot|ai|model|response|chatbot|system)\s*(?::|<\|end_header_id\|>|(?=\n))\s*)+",
    re.IGNORECASE,
)


def nothing(answer: Answer) -> Choice | None:
    """Stop at an empty answer; write lookalike and full-width letters plainly; take the role header off.

    >>> nothing(Answer("\\u200b \\n"))
    Choice(letter=None, rule='empty')
    >>> kept = Answer("ASSISTANT: Ａ"); nothing(kept), kept.text
    (None, 'A')
    """
    text = answer.text
    if len(text) > MAX_CHARS:
        text = text[: MAX_CHARS // 2] + "\n" + text[-MAX_CHARS // 2 :]
    if not text.isascii():
        text = text.translate(_INVISIBLE).translate(_LOOKALIKE)
        text = unicodedata.normalize("NFKC", text)
        if _HOMOGLYPH_ONLY.match(text):
            text = text.translate(_HOMOGLYPHS)
    answer.text = _ROLE.sub("", text, count=1).strip()
    return None if answer.text else Choice(None, "empty")


# A lone Cyrillic or Greek capital that looks like a Latin one. В and Β are left out: in Cyrillic the third letter.
_HOMOGLYPHS = str.maketrans("АСЕΑΕ", "ACEAE")
_HOMOGLYPH_ONLY = re.compile(r"^[^\w]*[АСЕΑΕ][^\w]*$")

# ------------------------------------------------------------------------------- 2 what was said after, and thought

_THINK = r"think(?:ing)?|thoughts?|reason(?:ing)?|analysis|scratchpad|reflection|rationale|cot|inner_monologue|seed:think"
_THOUGHT = re.compile(
    rf"<({_THINK})\b[^<>]*>.*?</\1>|\[(THINK)\].*?\[/\2\]|◁think▷.*?◁/think▷|<\|begin_of_thought\|>.*?<\|end_of_thought\|>"
    r"|<unused94>.*?<unused95>|<\|channel\|>(?:analysis|commentary)<\|message\|>.*?(?:<\|end\|>|$)|<\|channel>thought.*?<channel\|>",
    re.IGNORECASE | re.DOTALL,
)
_THOUGHT_END = re.compile(
    rf"^.*(?:</(?:{_THINK})>|◁/think▷|\[/THINK\]|<\|end_of_thought\|>|<channel\|>)",
    re.IGNORECASE | re.DOTALL,
)
_THOUGHT_OPEN = re.compile(
    rf"<(?:{_THINK})\b[^<>]*>|◁think▷|\[THINK\]|<\|begin_of_thought\|>|<unused94>|<\|channel>thought",
    re.IGNORECASE,
)
_HARMONY = re.compile(r"(?:<\|start\|>)?(?:assistant)?<\|channel\|>final<\|message\|>")
_STOP = re.compile(
    r"</s>|<s>|<eos>|<pad>|<end_of_utterance>|<end_of_turn>|<start_of_turn>|<\|(?!begin_of_box|end_of_box|begin_of_solution|end_of_solution)[\w -]{2,30}\|>|"
    r"<｜[^｜]{2,30}｜>|<image>|\[/?INST\]|<\[|\]>|<eop>|<eod>|<bos>",
    re.IGNORECASE,
)
_TURN = re.compile(
    r"\n\s*(?:#+\s*)?(?:\*\*)?(?:user|human|question|q|assistant|system|instruction|input|customer|usuario|用户|问题|問題)\s*(?:\d+\s*)?(?:\*\*)?\s*:|"
    r"(?:\s|^)(?:USER|HUMAN|Human|ASSISTANT):|\n#+\s*(?:Instruction|Question|Input|User|Human)\b|\n(?:user|assistant)\s*\n",
    re.IGNORECASE,
)


def cut(answer: Answer) -> Choice | None:
    """Keep what was said before the first end of sequence or new turn, and drop finished thoughts.

    >>> kept = Answer("D\\n\\nQuestion: What colour?\\nAnswer: A"); cut(kept), kept.text
    (None, 'D')
    >>> kept = Answer("<think>A maybe.</think>C</s>B"); cut(kept), kept.text
    (None, 'C')
    >>> cut(Answer("<think>It must be A, the"))
    Choice(letter=None, rule='unfinished thought')
    """
    text = answer.text
    if any(mark in text for mark in "<[◁"):
        text = _THOUGHT.sub(" ", text)
        text = _THOUGHT_END.sub(" ", text)
        text = _HARMONY.sub(" ", text)
        opened = _THOUGHT_OPEN.search(text)
        if opened and not _TAG.search(text, opened.end()):
            return Choice(None, "unfinished thought")
        text = _ROLE.sub("", text, count=1).strip()
        stop = _STOP.search(text)
        if stop:
            text = text[: stop.start()]
    if ":" in text or "\n" in text:
        for turn in _TURN.finditer(text):
            before, after = text[: turn.start()], text[turn.end() :]
            if before.strip() and not _repeats(after, answer.question):
                text = before
                break
    answer.text = text.strip()
    return None if answer.text else Choice(None, "empty")


def _repeats(text: str, question: str) -> bool:
    wanted = normal(question)
    return bool(wanted) and normal(text[: 3 * len(question) + 40]).startswith(wanted[:60])


# ------------------------------------------------------------------------------------------------ 3 containers

_TAG = re.compile(
    r"<\s*(answer|final_?answer|final|ans|choice|option|response|output|result|solution|prediction|conclusion)\s*>(.*?)(?:</\s*\1\s*>|$)|"
    r"\[(ANSWER|ANS)\](.*?)(?:\[/\3\]|$)|<\|begin_of_(?:box|solution)\|>(.*?)(?:<\|end_of_(?:box|solution)\|>|$)",
    re.IGNORECASE | re.DOTALL,
)
_BOX = re.compile(r"\\(?:boxed|fbox)\s*\{((?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})*)\}?")
_JSON_KEYS = (
    r"final_?answer|correct_?answer|answer|ans|prediction|predicted(?:_\w+)?|pred|choice|option|response|selected(?:_\w+)?|selection|letter|label|"
    r"result|output|correct(?:_\w+)?|verdict|key|pick|答案|選択|정답|respuesta|réponse|antwort|ответ"
)
_JSON = re.compile(
    rf"[\"']?\b(?:{_JSON_KEYS})(?:[_ ](?:letter|choice|option|text|is))?[\"']?\s*[:=]\s*"
    r"(\"(?:[^\"\\]|\\.)*\"?|'(?:[^'\\]|\\.)*'?|\[[^\]]*\]?|\{[^}]*\}?|[^,}\n]*)",
    re.IGNORECASE,
)
_LONE_VALUE = re.compile(r":\s*[\"']\s*\(?([A-Za-z])\)?\.?\s*[\"']\s*[,}]")


def container(answer: Answer) -> Choice | None:
    r"""Read only the last answer tag, box or JSON value, where there is one.

    >>> container(Answer(r"So A is close, yet \boxed{\text{B}}"))
    Choice(letter='B', rule='container')
    >>> container(Answer('{"why": "A man runs", "answer": "C"}'))
    Choice(letter='C', rule='container')
    >>> container(Answer("<answer>A or B</answer>"))
    Choice(letter=None, rule='two answers')
    >>> container(Answer("The answer is B."))
    """
    inside = _inside(answer.text)
    if inside is None:
        return None
    part = Answer(_unwrap_json(inside), None, answer.question)
    part.options = answer.options
    if not part.text.strip():
        return Choice(None, "empty")
    choice = _apply(RULES[3:], part)
    return Choice(choice.letter, "container") if choice.letter else choice


def _inside(text: str) -> str | None:
    last: tuple[int, str] | None = None
    if "<" in text or "[" in text:
        for match in _TAG.finditer(text):
            last = (match.end(), _content(match))
    if "\\" in text:
        for match in _BOX.finditer(text):
            if last is None or match.end() > last[0]:
                last = (match.end(), match[1])
    if last is None and "{" in text:
        body = text[text.index("{") :]
        found = list(_JSON.finditer(body))
        lone = _LONE_VALUE.findall(body)
        if found:
            last = (0, found[-1][1])
        elif len(lone) == 1:
            last = (0, lone[0])
    return None if last is None else last[1]


def _content(match: re.Match[str]) -> str:
    return match[2] or match[4] or match[5] or ""


def _unwrap_json(text: str) -> str:
    text = text.strip()
    if text[:1] in "\"'[{":
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):
            inner = _inside(text) if text[:1] == "{" else None
            return text.strip("\"'") if inner is None else inner.strip("\"' ")
        if isinstance(value, list):
            return ", ".join(map(str, value))
        if isinstance(value, dict):
            inner = _inside(text)
            return "" if inner is None else inner.strip("\"' ")
        return str(value)
    return text


# --------------------------------------------------------------------------------------------- 4 a letter alone

_LATEX = re.compile(
    r"\\{1,2}(?:text|textbf|mathrm|mathbf|textit|mathit|mathsf|operatorname|bf|rm|emph|large|Large|displaystyle)\b\s*|\\{1,2}[()\[\],;! ]|\\{1,2}(?:quad|qquad)\b"
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
        named = set(_CAPITAL.findall(answer.text))
        if len(named) > 1 and named <= set(answer.options.letters):
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


# ---------------------------------------------------------------------------------------- 5 an option, word for word


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


# ------------------------------------------------------------------------------------- 6 letter, delimiter, text

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
        if first[0].kind != "cue" and first[0].kind not in ("weak", "plain") and not (own and said.startswith(own)):
            return None
    elif match[1].isupper():
        return None
    if any(
        m.start > match.start(1) and m.kind != "no" and m.letter != letter
        for m in answer.mentions()
    ):
        return None
    if letter == "I" and not own.startswith(said[:4] or "-") and re.match(r"[.,]?\s*[a-z]|,", gap + rest):
        return None  # "I. do not know", "I, as a model"
    if say.TAKEN_BACK.search(rest):
        return Choice(None, "taken back")
    other = answer.options.exact(said)
    return Choice(letter, "letter against text" if other and other != letter else "letter and text")


# ---------------------------------------------------------------------------------------- 7 echoes and two answers

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


_SENTENCE = re.compile(r"[.!?](?=\s)|[。！？\n]")
_OPEN = {
    "pair": "two answers",
    "maybe": "hedge",
    "if": "condition",
    "asked": "question",
    "quoted": "quotation",
    "example": "example",
}
_REOPENS = ("pair", "maybe", "if")


# ------------------------------------------------------------------------------------------------- 8 cue phrases


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


# -------------------------------------------------------------------------------------------- 9 the only letter


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


# ----------------------------------------------------------------------------------- 10 one option text contained


def text_contained(answer: Answer) -> Choice | None:
    """Accept the only option text in the answer: the longest of nested ones, yes and no at the start, whole numbers.

    >>> text_contained(Answer("He is walking the dog.", ["walking", "walking the dog", "sitting"]))
    Choice(letter='B', rule='text contained')
    >>> text_contained(Answer("I see 13.", ["1", "3"])), text_contained(Answer("There is no cat.", ["yes", "no"]))
    (None, None)
    >>> text_contained(Answer("It is not walking.", ["walking", "sitting"]))
    >>> text_contained(Answer("I cannot tell whether he is walking.", ["walking", "sitting"]))
    """
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


# ---------------------------------------------------------------------------------------------- 11 nothing decided


def undecided(answer: Answer) -> Choice | None:
    """Leave the rest to the judge.

    >>> undecided(Answer("A tram arrives while passengers wait."))
    Choice(letter=None, rule='undecided')
    """
    return Choice(None, "undecided")


RULES: tuple[tuple[str, Rule], ...] = (
    ("empty", nothing),
    ("cut", cut),
    ("container", container),
    ("letter alone", letter_alone),
    ("option text", option_text),
    ("letter and text", letter_and_text),
    ("echo", echo),
    ("cue phrase", cue_phrase),
    ("only letter", only_letter),
    ("text contained", text_contained),
    ("undecided", undecided),
)

_BARE = {chr(65 + i) + end: i for i in range(26) for end in ("", ".", ")")}
_BARE |= {f"({chr(65 + i)})": i for i in range(26)}
_BARE_CHOICES = {text: Choice(chr(65 + i), "letter alone") for text, i in _BARE.items()}

# ------------------------------------------------------------------------------------------- the paper's own scheme

# T2Vid, eval/parse_answer_with_llm.py:138-179. Two commas are missing there, so four prefixes are glued to two that
# never match; kept as they are, since published figures were made with them.
_PAPER_PREFIXES = (
    "The best answer is",
    "The correct answer is",
    "The answer is",
    "The answer",
    "The best option is" + "The correct option is",
    "Best answer:" + "Best option:",
)
_PAPER_DOT = re.compile(r"[ABCDE]\.")
_PAPER_ANY = re.compile(r"[ABCDE]")


def paper_choice(prediction: object) -> Choice:
    """Decide as the paper's script does before it asks its judge: the first `X.`, else the first capital A to E.

    >>> paper_choice("Based on the frames, option D.").letter, paper_choice("A man is walking.").letter
    ('D', 'A')
    """
    text = _as_text(prediction).strip()
    for prefix in _PAPER_PREFIXES:
        text = text.replace(prefix, "")
    for name, pattern in (
        ("paper: letter and dot", _PAPER_DOT),
        ("paper: any capital", _PAPER_ANY),
    ):
        match = pattern.search(text)
        if match:
            return Choice(match[0][0], name)
    return Choice(None, "undecided")
