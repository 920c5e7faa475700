"""The examples in docstrings run, in every module, on the installed package."""

from __future__ import annotations

import doctest
import importlib
import pkgutil
import warnings

import pytest

import t2vid

MODULES = ["t2vid"]
_FLAGS = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS


def _modules(path, prefix):
    """List modules without importing them, packages that are reached by links included."""
    for found in pkgutil.iter_modules(path, prefix):
        yield found.name
        if found.ispkg:
            folder = [f"{part}/{found.name.rpartition('.')[2]}" for part in path]
            yield from _modules(folder, f"{found.name}.")


MODULES += [name for name in _modules(t2vid.__path__, "t2vid.") if name != "t2vid.__main__"]


def test_every_room_is_searched():
    assert {"t2vid.trainer.collator", "t2vid.dataset_scripts.mix", "t2vid.errors"} <= set(MODULES)


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_of_a_module_hold(name, empty_folder):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        module = importlib.import_module(name)
    found = doctest.testmod(module, optionflags=_FLAGS)
    assert found.failed == 0, f"{name}: {found.failed} of {found.attempted} examples, shown above"
