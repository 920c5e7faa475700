"""Marks that the tests of several rooms share."""

from __future__ import annotations

import pytest

# evaluate 0.4.6 leaves its cache file to the garbage collector
OF_EVALUATE = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
