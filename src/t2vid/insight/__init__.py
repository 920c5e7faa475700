"""Pictures and pages: what is in a dataset, and what came out of a run."""

from t2vid.insight.lengths import Lengths, lengths  # the function; its module has the same name

__all__ = ["Lengths", "lengths"]
