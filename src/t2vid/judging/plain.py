r"""Rule 3: the answer in plainer words: no addresses, code or abbreviations, arrows as "so", the latter by its letter.

>>> kept = Answer("I.e. the latter"); plain_words(kept), kept.text
(None, 'that is the latter')
>>> kept = Answer("A or C? The latter."); plain_words(kept), kept.text
(None, 'A or C? C.')
"""

from __future__ import annotations

import re

from t2vid.judging.answer import Answer, Choice

_ADDRESS = re.compile(
    r"(?<![\w<])(?:https?://|www\.)[^\s<>\"')\]}]+|(?<![\w/<])(?:[A-Za-z]:\\|\.{0,2}/)(?:[\w .-]{1,40}[\\/])+[\w.-]*|\b\w+\.(?:mp4|mov|avi|mkv|png|jpe?g|txt|json|py)\b"
)
_FENCE = re.compile(r"```\w*\n(.*?)(?:```|$)", re.DOTALL)
_CODE = re.compile(
    r"\b(?:for|while|if) ?\(|\bfor \w+ in\b|\b(?:def|class|import|function|SELECT|const|let|var|int|return \w+ [-+*/])\s|\w\(\w*\)|^\s*\w = \w+ [-+*/] \w",
    re.MULTILINE,
)
_CODE_LINE = re.compile(
    r"^\s*(?:def \w+\(.*\).*|(?:int|let|var|const) \w+ = .*|import \w+|[a-z] = [\w.+*/ -]+;?)\s*$"
)
_GIVES = re.compile(
    r"\b(?:answer|ans|choice|option|result)\w*\s*[=:(]|\bprint\(\s*[\"']", re.IGNORECASE
)
_ABBREVIATIONS = (
    (re.compile(r"\be\. ?g\.,?", re.IGNORECASE), "for example"),
    (re.compile(r"\bi\. ?e\.,?", re.IGNORECASE), "that is"),
    (re.compile(r"\bP\. ?S\."), "PS"),
)
_SYMBOLS = str.maketrans(
    dict.fromkeys("∴⇒⟹⟶➡➔➝►▶⮕↦⊢", "→") | dict.fromkeys("✓✔☑√🎯★⭐🟢", "✅") | {"✘": "✗", "×": "✗"}
)
_LATEX_ARROW = re.compile(r"\\(?:therefore|implies|Rightarrow|rightarrow|to|Longrightarrow)\b")
_LATEX_CHECK = re.compile(r"\\(?:checkmark|star)\b")
_ATTRIBUTE = re.compile(
    r"<\s*(?:answer|choice|option|selected|selection|result|response|prediction)\s+\w+\s*=\s*[\"']([A-Za-z])[\"']\s*/?>",
    re.IGNORECASE,
)
_FORMER = re.compile(
    r"\b(?:the )?(former|latter)\b(?: (?:option|choice|one|answer))?", re.IGNORECASE
)
_TICKED = re.compile(r"^\s*\([xX]\)\s*(?=\(?[A-J]\b)")
_TRIGGERS = re.compile(
    r"[∴⇒⟹⟶➡➔➝►▶⮕↦⊢✓✔☑√🎯★⭐🟢✘×\\`/]|www\.|\.\w{2,4}\b|\b[eiEIP]\. ?[gGeES]\.|<\s*\w+\s+\w+\s*=|former|latter|^\s*(?:def|int|let|var|import)\s|^\s*\([xX]\)| = ",
    re.IGNORECASE,
)


def plain_words(answer: Answer) -> Choice | None:
    """Write out what could be mistaken for a letter or hides one; never decide by it.

    >>> plain_words(Answer("https://example.org/watch?v=B"))
    Choice(letter=None, rule='empty')
    >>> kept = Answer("E.g. the lamp"); plain_words(kept), kept.text
    (None, 'for example the lamp')
    >>> kept = Answer("Neither the former nor the latter."); plain_words(kept), kept.text
    (None, 'Neither the former nor the latter.')
    """
    text = answer.text
    if not _TRIGGERS.search(text):
        return None
    text = _ATTRIBUTE.sub(r"<answer>\1</answer>", text)
    text = _ADDRESS.sub(" ", text)
    text = _FENCE.sub(_without_code, text)
    if _CODE_LINE.match(text) and not _GIVES.search(text):
        text = ""
    for pattern, words in _ABBREVIATIONS:
        text = pattern.sub(words, text)
    text = _LATEX_CHECK.sub("✅", _LATEX_ARROW.sub("→", text.translate(_SYMBOLS)))
    text = _TICKED.sub("✅ ", text)
    if _FORMER.search(text):
        text = _with_letters(text, answer.options.letters)
    answer.text = text.strip()
    return None if answer.text else Choice(None, "empty")


def _without_code(match: re.Match[str]) -> str:
    return " " if _CODE.search(match[1]) and not _GIVES.search(match[1]) else match[0]


def _with_letters(text: str, letters: str) -> str:
    """Put the letter for "the former" and "the latter" where two letters, and no others, stand before them."""
    first = _FORMER.search(text)
    named = re.findall(r"(?<![\w'’])([A-Z])(?![\w'’])", text[: first.start()]) if first else []
    both = list(dict.fromkeys(letter for letter in named if letter in letters))
    if len(both) == 3 and both[0] in "AI":
        both = both[1:]
    if len(both) != 2:
        return text
    return _FORMER.sub(lambda found: both[found[1].casefold() == "latter"], text)
