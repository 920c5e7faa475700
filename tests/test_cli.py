"""The command line: help with an example for every command, one line for a refused input."""

from __future__ import annotations

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


def test_ctrl_c_is_exit_code_130_without_a_traceback(monkeypatch, capsys):
    def interrupt(options):
        raise KeyboardInterrupt

    monkeypatch.setitem(cli.COMMANDS, "demo", cli.COMMANDS["demo"]._replace(run=interrupt))
    assert cli.main(["demo"]) == 130
    assert "interrupted" in capsys.readouterr().err
