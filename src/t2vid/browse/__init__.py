"""The app that looks through the rows of a dataset: `t2vid browse`.

>>> from t2vid.browse import Browser, BrowseRows
>>> Browser(BrowseRows([])).page(0).positions
[]
"""

from t2vid.browse.browser import Browser, RowFilters
from t2vid.browse.rows import BrowseRows, open_rows

__all__ = ["BrowseRows", "Browser", "RowFilters", "open_rows"]
