"""From a model's answer to a letter: ordered rules first, a judge for what they leave open.

>>> extract_choice("A man is walking.", ["running", "jumping"]).letter is None
True
"""

from t2vid.judging.extract import Choice, extract_choice

__all__ = ["Choice", "extract_choice"]
