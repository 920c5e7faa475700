"""The names that other people's code relies on."""

from __future__ import annotations

import importlib
import subprocess
import sys

import pytest

import t2vid
from t2vid import errors


def test_all_is_sorted_and_every_name_is_there():
    assert t2vid.__all__ == sorted(t2vid.__all__)
    assert dir(t2vid) == t2vid.__all__
    for name in t2vid.__all__:
        assert getattr(t2vid, name) is not None


def test_an_unknown_name_is_an_attribute_error_that_lists_the_known():
    with pytest.raises(AttributeError, match="render_text"):
        t2vid.render_txt  # noqa: B018


def test_every_error_is_also_the_builtin_a_caller_expects():
    for error, builtin in [
        (errors.InputError, ValueError),
        (errors.BadVideo, ValueError),
        (errors.MissingFile, FileNotFoundError),
        (errors.MissingExtra, ImportError),
        (errors.PublishError, OSError),
    ]:
        assert issubclass(error, errors.T2VidError) and issubclass(error, builtin)


def test_a_missing_extra_names_the_extra():
    with pytest.raises(errors.MissingExtra, match=r'pip install "t2vid\[train\]"'):
        errors.require("no_such_module_anywhere", extra="train")


def test_a_broken_dependency_is_not_called_missing(tmp_path, monkeypatch):
    (tmp_path / "broken_module.py").write_text("import no_such_module_anywhere")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ModuleNotFoundError) as caught:
        errors.require("broken_module", extra="train")
    assert not isinstance(caught.value, errors.MissingExtra)


def test_a_former_name_works_and_warns_with_the_name_of_now():
    for old, now in t2vid._DEPRECATED.items():
        assert now in t2vid.__all__ and old not in t2vid.__all__
        with pytest.warns(DeprecationWarning, match=f"t2vid.{old} is called t2vid.{now}"):
            assert getattr(t2vid, old) is getattr(t2vid, now)


def test_a_name_is_listed_once_and_imported_when_it_is_asked_for():
    eager = {"T2VidError", "__version__"}
    assert {*t2vid._LAZY} == {*t2vid.__all__} - eager
    code = "import sys, t2vid; t2vid.T2VidError; print('t2vid.frames' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_the_former_room_of_scoring_works_and_warns():
    sys.modules.pop("t2vid.judging", None)  # a doctest run may have imported it
    with pytest.warns(DeprecationWarning, match=r"t2vid.judging is called t2vid.scoring"):
        former = importlib.import_module("t2vid.judging")
    assert former.extract_choice is t2vid.extract_choice
