"""Numbers and pictures of what is in a dataset; `t2vid.pages` makes pages of them.

>>> from t2vid.insight import select_diverse
>>> select_diverse(["Describe it.", "Describe it.", "Count the boats."], 2)
['Describe it.', 'Count the boats.']
"""

# Imported here and now: a function of its module's name has to win over the module, always.
from t2vid.insight.compare import SideBySide, compare
from t2vid.insight.diversity import diversity, select_diverse
from t2vid.insight.flags import flags
from t2vid.insight.lengths import Lengths, lengths

__all__ = ["Lengths", "SideBySide", "compare", "diversity", "flags", "lengths", "select_diverse"]
