"""The paper's own scheme, kept so that published figures can be compared: almost any capital decides.

>>> paper_choice("Based on the frames, option D.").letter, paper_choice("A man is walking.").letter
('D', 'A')
"""

from __future__ import annotations

import re

from t2vid.scoring.answer import ParsedAnswer, as_text

# T2Vid, eval/parse_answer_with_llm.py:138-179. Two commas are missing there, so four prefixes are glued to two that
# never match; kept as they are, since published figures were made with them.
_PREFIXES = (
    "The best answer is",
    "The correct answer is",
    "The answer is",
    "The answer",
    "The best option is" + "The correct option is",
    "Best answer:" + "Best option:",
)
_STEPS = {
    "paper: letter and dot": re.compile(r"[ABCDE]\."),
    "paper: any capital": re.compile("[ABCDE]"),
}


def paper_choice(prediction: object) -> ParsedAnswer:
    """Decide as the paper's script does before it asks its judge: the first `X.`, else the first capital A to E."""
    text = as_text(prediction).strip()
    for prefix in _PREFIXES:
        text = text.replace(prefix, "")
    for name, pattern in _STEPS.items():
        if match := pattern.search(text):
            return ParsedAnswer(match[0][0], name)
    return ParsedAnswer(None, "undecided")
