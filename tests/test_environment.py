"""What `t2vid doctor --env` says of a machine, and of what it lacks."""

from __future__ import annotations

import importlib.metadata

import pytest

from t2vid import cli
from t2vid.environment import environment


def row(found, name):
    return next(row for row in found.rows if row.name == name)


def test_every_extra_has_a_line_with_its_versions():
    found = environment()
    assert found.good and row(found, "needed packages").state == "ok"
    assert f"datasets {importlib.metadata.version('datasets')}" in found.table()
    extras = importlib.metadata.metadata("t2vid").get_all("Provides-Extra")
    shown = {one.name.strip("[]") for one in found.rows if one.name.startswith("[")}
    assert set(extras) - shown == {"dev", "docs"}  # for those who work on t2vid itself
    assert {"h264", "vp9"} <= set(row(found, "decoders").found.split(", "))
    assert "Latin" in row(found, "fonts").found


@pytest.mark.parametrize(
    ("package", "name", "good", "says"),
    [
        ("gradio", "[browse]", True, 't2vid browse will not work without gradio; run: pip install "t2vid[browse]"'),
        ("av", "needed packages", False, "t2vid itself will not work without av"),
    ],
)  # fmt: skip
def test_what_is_not_installed_says_what_fails_and_what_to_do(
    monkeypatch, package, name, good, says
):
    version = importlib.metadata.version

    def lacking(asked):
        if asked == package:
            raise importlib.metadata.PackageNotFoundError(asked)
        return version(asked)

    monkeypatch.setattr(importlib.metadata, "version", lacking)
    found = environment()
    assert says in row(found, name).hint and says in found.table() and found.good == good


def test_a_script_without_a_font_is_named(monkeypatch):
    from collections import Counter

    from t2vid.frames import fonts

    monkeypatch.setattr(
        fonts, "uncovered", lambda text, font: Counter(text if "ひ" in text else "")
    )
    found = row(environment(), "fonts")
    assert "Japanese" not in found.found and "Latin" in found.found and found.state == "note"
    assert "Hira" in found.hint or "CJK" in found.hint


def test_the_command_prints_it_and_says_with_its_exit_code_whether_all_is_there(capsys):
    assert cli.main(["doctor", "--env"]) == 0
    assert capsys.readouterr().out.startswith("ok      t2vid")
    assert cli.main(["doctor", "--env", "videos"]) == 2
    assert "videos" in capsys.readouterr().err
