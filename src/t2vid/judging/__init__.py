"""From a model's answer to a letter: ordered rules first, a judge for what they leave open.

>>> extract_choice("A man is walking.", ["running", "jumping"]).letter is None
True
"""

from t2vid.judging.extract import Choice, extract_choice
from t2vid.judging.llm import Judge, judge_from
from t2vid.judging.prompt import Verdict

__all__ = ["Choice", "Judge", "Verdict", "extract_choice", "judge_from"]
