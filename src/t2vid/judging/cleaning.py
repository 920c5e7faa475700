"""Rules 1 and 2: nothing to read, and what was said before the answer ended.

>>> kept = Answer("ASSISTANT: <think>A?</think> B</s>C"); nothing(kept), cut(kept), kept.text
(None, None, 'B')
"""

from __future__ import annotations

import re
import unicodedata

from t2vid.judging.answer import Answer, Choice
from t2vid.judging.containers import TAG
from t2vid.judging.options import normal

MAX_CHARS = 8_000  # an answer beyond this is a loop: its start and its end are kept

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
        if opened and not TAG.search(text, opened.end()):
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
