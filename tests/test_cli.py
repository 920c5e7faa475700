"""The command line: help with an example for every command, one line for a refused input."""

from __future__ import annotations

import warnings

import pytest

from t2vid import cli
from t2vid.errors import InputError


def test_help_lists_every_command(capsys):
    with pytest.raises(SystemExit) as stop:
        cli.main(["--help"])
    assert stop.value.code == 0
    shown = capsys.readouterr().out
    assert all(name in shown for name in cli.COMMANDS)


@pytest.mark.parametrize("name", sorted(cli.COMMANDS))
def test_every_command_has_help_with_an_example_that_parses(name, capsys):
    with pytest.raises(SystemExit):
        cli.main([name, "--help"])
    assert f"example:\n  t2vid {name}" in capsys.readouterr().out
    cli._parser().parse_args(cli.COMMANDS[name].example.split()[1:])


def test_a_refused_input_is_one_line_and_exit_code_2(monkeypatch, capsys):
    def refuse(options):
        raise InputError("steps (1) must be at least 2")

    command = cli.COMMANDS["demo"]._replace(run=refuse)
    monkeypatch.setitem(cli.COMMANDS, "demo", command)
    assert cli.main(["demo"]) == 2
    assert capsys.readouterr().err == "t2vid demo: steps (1) must be at least 2\n"


def test_a_folder_that_is_no_dataset_and_a_licence_of_all_beside_another_are_refused(
    tmp_path, capsys
):
    assert cli.main(["push", str(tmp_path), "me/x"]) == 2
    assert "no finished mix and no saved dataset" in capsys.readouterr().err
    assert cli._licences([]) is None and cli._licences(["mit"]) == "mit"
    assert cli._licences(["a=mit", "b=apache-2.0"]) == {"a": "mit", "b": "apache-2.0"}
    with pytest.raises(InputError, match="give it alone"):
        cli._licences(["mit", "a=mit"])


def test_a_warning_is_one_line_without_a_place_in_the_code(monkeypatch, capsys):
    def warn(options):
        warnings.warn("mind this", UserWarning, stacklevel=1)

    monkeypatch.setitem(cli.COMMANDS, "demo", cli.COMMANDS["demo"]._replace(run=warn))
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        assert cli.main(["demo"]) == 0
    assert capsys.readouterr().err == "t2vid: mind this\n"


def test_ctrl_c_is_exit_code_130_without_a_traceback(monkeypatch, capsys):
    def interrupt(options):
        raise KeyboardInterrupt

    monkeypatch.setitem(cli.COMMANDS, "demo", cli.COMMANDS["demo"]._replace(run=interrupt))
    assert cli.main(["demo"]) == 130
    assert "interrupted" in capsys.readouterr().err
