"""The former name of `t2vid.scoring`; it warns and goes away in the next release."""

import warnings

from t2vid.scoring import Judge, ParsedAnswer, Verdict, extract_choice, judge_from

__all__ = ["Judge", "ParsedAnswer", "Verdict", "extract_choice", "judge_from"]

warnings.warn(
    "t2vid.judging is called t2vid.scoring and goes away in the next release",
    DeprecationWarning,
    stacklevel=2,
)
