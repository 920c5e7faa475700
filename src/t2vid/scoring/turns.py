"""Where a model's own answer ends and begins: not at what it repeats of the question, nor in the next one that it asks itself.

>>> turns("B\\n\\nQuestion: What now?\\nAnswer: C", "Which?")
['B']
"""

from __future__ import annotations

import re

# A heading of one's own analysis, "**Question:** The question asks for …", is no next question.
_ANALYSIS = re.compile(
    r"[\s#*_]*(?:(?:the|this) (?:question|problem|user|task)\b|(?:题目|問題|问题|该题|本题)[问要询])",
    re.IGNORECASE,
)
_TURN = re.compile(
    r"\n[\s#*_-]*(?:(?:question|problem|user|human|instruction|example|exercise|input|customer|usuario|"
    r"用户|问题|題目|题目|問題|hint)\s*\d*\s*[:：]|q\s*\d*\s*[:：])"
    r"|(?<=\s)(?:USER|HUMAN|Human|ASSISTANT)\s?:|\n#+\s*(?:instruction|question|input|user|human)\b|\n(?:user|assistant)\s*\n",
    re.IGNORECASE,
)


def turns(text: str, question: str) -> list[str]:
    """Return what to read, the shortest first: up to the model's next question, or on, where it repeats this one.

    >>> turns("B\\n\\nQuestion: What now?\\nAnswer: C", "Which?")
    ['B']
    """
    if ":" not in text and "：" not in text and "\n" not in text:
        return [text]
    asked, ends = _squeezed(question)[:60], []
    for turn in _TURN.finditer(text):
        if not text[: turn.start()].strip() or _ANALYSIS.match(text, turn.end()):
            continue
        ends.append(turn.start())
        if not asked or asked not in _squeezed(
            text[turn.end() : turn.end() + 2 * len(question) + 60]
        ):
            return [text[:end] for end in ends]
    return [*(text[:end] for end in ends), text]


def _squeezed(text: str) -> str:
    return " ".join(text.casefold().split())


_INSTRUCTION = re.compile(
    r"(?:please\s+)?(?:directly\s+give\s+the\s+best\s+option|only\s+give\s+the\s+best\s+option|answer\s+with\s+the\s+"
    r"option'?s?\s+letter[^.\n]*|select\s+the\s+best\s+answer\s+to[^.\n]*|respond\s+with\s+only\s+the\s+letter[^.\n]*)[.:]?",
    re.IGNORECASE,
)


def without_echo(text: str, question: str) -> str:
    """Blank the repeated question and instruction.

    >>> without_echo("Which way? B", "Which way?")
    '           B'
    """
    out = text
    asked = question.strip()
    if len(asked) >= 8 and len(text) >= len(asked):
        at = text.casefold().find(asked.casefold())
        if at >= 0 and len(text.casefold()) == len(text):
            out = out[:at] + " " * len(asked) + out[at + len(asked) :]
    if "option" in out or "letter" in out:
        out = _INSTRUCTION.sub(lambda found: " " * len(found[0]), out)
    return out
