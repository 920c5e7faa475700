"""Rule 3: where an answer sits in a tag, a box or a JSON value, only the last of them is read.

>>> contained(r"So A is close, yet \\boxed{\\text{B}}"), contained('{"why": "A man", "answer": "C"}'), contained("B.")
('\\\\text{B}', 'C', None)
"""

from __future__ import annotations

import json
import re

TAG = re.compile(
    r"<\s*(answer|final_?answer|final|ans|choice|option|response|output|result|solution|prediction|conclusion|selected|selection|letter)\s*>(.*?)(?:</\s*\1\s*>|$)|"
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
_LATEX_TEXT = re.compile(r"\\(?:text|math)\w*\s*\{")
_LONE_VALUE = re.compile(r":\s*[\"']\s*\(?([A-Za-z])\)?\.?\s*[\"']\s*[,}]")


def contained(text: str) -> str | None:
    """Give what the last container of a text holds; None where it has none."""
    inside = _inside(text)
    for _ in range(3):  # a tag within a tag
        deeper = _inside(inside) if inside is not None and inside.lstrip()[:1] == "<" else None
        if deeper is None:
            break
        inside = deeper
    return None if inside is None else _unwrap_json(inside)


def _inside(text: str) -> str | None:
    last: tuple[int, str] | None = None
    if "<" in text or "[" in text:
        for match in TAG.finditer(text):
            last = (match.end(), _content(match))
    if "\\" in text:
        for match in _BOX.finditer(text):
            if last is None or match.end() > last[0]:
                last = (match.end(), match[1])
    if last is None and "{" in text and not _LATEX_TEXT.search(text):
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
