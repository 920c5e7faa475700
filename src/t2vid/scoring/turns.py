"""Where a model's own answer ends and begins: not at what it repeats of the question, nor in the next one that it asks itself.

>>> turns("B\\n\\nQuestion: What now?\\nAnswer: C", "Which?")
['B']
"""

from __future__ import annotations

from t2vid.scoring.clean import blank
from t2vid.scoring.lexicon import mark


def turns(text: str, question: str) -> list[str]:
    """Return what to read, the shortest first: up to the model's next question, or on, where it repeats this one.

    >>> turns("B\\n\\nQuestion: What now?\\nAnswer: C", "Which?")
    ['B']
    """
    if ":" not in text and "：" not in text and "\n" not in text:
        return [text]
    asked, ends = _squeezed(question)[:60], []
    for turn in mark("turn").finditer(text):
        if not text[: turn.start()].strip() or mark("analysis").match(text, turn.end()):
            continue
        ends.append(len(text[: turn.start()].rstrip()))
        said = text[turn.end() : turn.end() + 2 * len(question) + 60]
        if not asked or asked not in _squeezed(said):
            return [text[:end] for end in ends]
    return [*(text[:end] for end in ends), text]


def _squeezed(text: str) -> str:
    return " ".join(text.casefold().split())


def without_echo(text: str, question: str) -> str:
    """Blank the repeated question and instruction.

    >>> without_echo("Which way? B", "Which way?")
    '           B'
    """
    asked, low = question.strip(), text.casefold()
    if 8 <= len(asked) and len(low) == len(text) and (at := low.find(asked.casefold())) >= 0:
        text = text[:at] + " " * len(asked) + text[at + len(asked) :]
    return blank(mark("instruction"), text) if "option" in text or "letter" in text else text
