"""The version, alone, so that packaging can read it without importing anything.

>>> __version__.count(".")
2
"""

__version__ = "0.1.0"
