"""The names that other people's code relies on."""

from __future__ import annotations

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


def test_importing_adds_less_than_the_limit_over_datasets():
    code = (
        "import time, datasets; start = time.process_time(); import t2vid; "
        "print(time.process_time() - start)"
    )
    runs = [
        float(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout)
        for _ in range(3)
    ]
    assert min(runs) < 0.3
