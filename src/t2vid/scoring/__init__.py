"""From answers to scores: rules that read a letter, judges for what they leave open, statistics.

>>> extract_choice("A man is walking.", ["running", "jumping"]).letter is None
True
"""

from t2vid.scoring.answer import ParsedAnswer
from t2vid.scoring.extract import extract_choice
from t2vid.scoring.judge import Judge, judge_from
from t2vid.scoring.prompt import Verdict

__all__ = ["Judge", "ParsedAnswer", "Verdict", "extract_choice", "judge_from"]
