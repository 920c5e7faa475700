"""Places where an answer is put so that it can be found: a tag, a box, a JSON value.

>>> [text for text, _ in containers(r"So A is close, yet \\boxed{B}. Then <answer>C</answer>")]
['B', 'C']
"""

from __future__ import annotations

import re

_TAG = re.compile(
    r"<\s*((?:final_?)?answer|final|ans|choice|option|response|output|result|solution|prediction|conclusion|"
    r"selected|selection|letter)\s*>(.*?)(?:</\s*\1\s*>|$)",
    re.IGNORECASE | re.DOTALL,
)
_ATTRIBUTE = re.compile(
    r"<\s*(?:answer|choice|option|result)\s+\w+\s*=\s*([\"'])(.{1,60}?)\1\s*/?>", re.I
)
_BRACKET = re.compile(r"\[(ANSWER|ANS)\](.*?)(?:\[/\1\]|$)", re.IGNORECASE | re.DOTALL)
_HEADED = re.compile(
    r"【\s*((?:最终|正确)?(?:答案|回答)|answer)\s*】[:：]?([^\n【]*)", re.IGNORECASE
)
_TOKENS = re.compile(
    r"<\|begin_of_(box|solution)\|>(.*?)(?:<\|end_of_\1\|>|$)", re.IGNORECASE | re.DOTALL
)
_BOX = re.compile(r"\\{1,2}(boxed|fbox)\s*\{((?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})*)\}?")
_KEYS = frozenset(
    "answer ans prediction pred choice option response selection letter label result output verdict key pick final "
    "correct predicted selected 答案 選択 정답 respuesta réponse antwort ответ".split()
)
_PART = re.compile(r"[_ ]?(?:final|correct|predicted|selected|letter|choice|option|text)[_ ]?")
_JSON = re.compile(
    r"[\"']([\w ]{2,24})[\"']\s*:\s*(\"(?:[^\"\\]|\\.)*|'(?:[^'\\]|\\.)*|\[[^\]]*\]?|\{[^}]*\}?|[^,}\n]*)"
)
_LONE = re.compile(r"^\s*\{\s*[\"']\w+[\"']\s*(:)\s*([\"']?[^\"'{}]*[\"']?)\s*\}\s*$")


def containers(text: str) -> list[tuple[str, int]]:
    """Return what the containers of a text hold, in order, each with the place where that begins."""
    found: list[tuple[int, int]] = []
    patterns = []
    if "<" in text:
        patterns += [_TAG, _ATTRIBUTE, _TOKENS]
    if "[" in text:
        patterns.append(_BRACKET)
    if "\\" in text:
        patterns.append(_BOX)
    if "{" in text:
        patterns += [_JSON, _LONE]
    if "【" in text:
        patterns.append(_HEADED)
    for pattern in patterns:
        found += [match.span(2) for match in pattern.finditer(text) if _holds(pattern, match[1])]
    found.sort()
    inner = [
        (a, b)
        for a, b in found
        if not any((c, d) != (a, b) and a <= c and d <= b for c, d in found)
    ]
    return [(text[a:b], a) for a, b in inner]


def _holds(pattern: re.Pattern[str], key: str) -> bool:
    """Say whether a JSON key is one of an answer: "answer", "final_answer", "predicted option"."""
    name = key.strip().casefold()
    return pattern is not _JSON or name in _KEYS or _PART.sub("", name) in {*_KEYS, ""}
