"""A mix: which rows, in which order, within which budget.

Recipe.from_yaml("hybrid-30k").build(data="corpora", out="mix")
"""

from t2vid.mixing import build as _build
from t2vid.mixing.recipe import Recipe

Recipe.build = _build.build  # takes the recipe first, so it is a method as well
