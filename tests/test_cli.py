"""The command line: help with an example for every command, one line for a refused input."""

from __future__ import annotations

import inspect
import json
import logging
import os
import re
import shlex
import shutil
import subprocess
import sys
import types
import warnings
from collections.abc import Callable
from typing import Any

import pytest

from t2vid import cli
from t2vid.arguments import Arguments
from t2vid.commands import COMMANDS, Command
from t2vid.errors import InputError
from t2vid.publishing.folder import open_folder

EXAMPLES = [(name, line) for name, command in COMMANDS.items() for line in command.examples]
CALLS = [(name, key) for name, command in COMMANDS.items() for key in command.calls]


@pytest.fixture
def demo(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Put another function behind `t2vid demo`."""

    def put(function: Callable[..., Any], **changes: Any) -> None:
        monkeypatch.setitem(sys.modules, "stand_in", types.SimpleNamespace(run=function))
        command = Command("stands in", {"": "stand_in:run"}, ("t2vid demo",), **changes)
        monkeypatch.setitem(COMMANDS, "demo", command)

    return put


def t2vid(*arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run a command in a process of its own, as a shell would."""
    command = [sys.executable, "-m", "t2vid", *arguments]
    environment = {**os.environ, **options.pop("env", {})}
    captured = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
    return subprocess.run(command, env=environment, encoding="utf-8", errors="replace", **captured)


# Help.


def test_help_lists_every_command(capsys):
    assert cli.main(["--help"]) == 0
    shown = capsys.readouterr().out
    assert all(
        f"  {name} " in shown and command.help in shown for name, command in COMMANDS.items()
    )


def test_the_overview_is_as_wide_as_the_terminal(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    assert cli.main(["--help"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 60 and any(line.startswith(" " * 14) for line in lines)


def test_an_example_is_one_line_however_narrow_the_terminal(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    assert cli.main(["score", "--help"]) == 0
    shown = capsys.readouterr().out.splitlines()
    assert all(f"  {example}" in shown for example in COMMANDS["score"].examples)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_an_example(name, capsys):
    assert cli.main([name, "--help"]) == 0
    shown = capsys.readouterr().out
    assert f"example:\n  t2vid {name}" in shown and "--quiet" in shown
    assert ("--json" in shown) == COMMANDS[name].json


@pytest.mark.parametrize(("name", "line"), EXAMPLES, ids=[line for _, line in EXAMPLES])
def test_every_example_parses(name, line):
    tokens = shlex.split(line)[2:]
    key = next((key for key in COMMANDS[name].calls if key in tokens), None)
    keys = [key] if key is not None else list(COMMANDS[name].calls)
    assert any(parses(name, k, [token for token in tokens if token != key]) for k in keys)


def parses(name, key, tokens):
    try:
        cli.parser_of(name, key).parse(tokens)
    except InputError:
        return False
    return True


@pytest.mark.parametrize("name", COMMANDS)
def test_the_line_of_the_overview_is_the_first_of_the_docstring(name):
    command = COMMANDS[name]
    function = cli.function_at(next(iter(command.calls.values())))
    first = inspect.getdoc(function).partition("\n")[0]
    assert first == f"{command.help}."


@pytest.mark.parametrize(("name", "key"), CALLS)
def test_every_option_says_what_it_does(name, key):
    listed = cli.parser_of(name, key).app.assemble_argument_collection()
    assert [argument.name for argument in listed if not argument.parameter.help] == []


@pytest.mark.parametrize(("name", "key"), CALLS)
def test_help_speaks_of_options_and_not_of_python(name, key):
    listed = cli.parser_of(name, key).app.assemble_argument_collection()
    told = {argument.name: argument.parameter.help for argument in listed}
    words = re.compile(r"\b(None|False|True)\b|as for `")
    assert {option: says for option, says in told.items() if words.search(says)} == {}
    parameters = {argument.name.strip("-").replace("-", "_") for argument in listed}
    named = {word for says in told.values() for word in re.findall(r"`([a-z]+_[a-z_]+)`", says)}
    assert named & parameters == set()


def test_words_of_a_docstring_become_those_of_a_command_line():
    def run(*, per_page: int | None = 1, kinds: str = "", licences: dict[str, str] = {}) -> None:  # noqa: B006
        """Run it.

        Args:
            per_page: None is all; with `kinds="all"` too.
            kinds: `"kinds"` or `"all"`; `""` is none, see `per_page` and `save_to_disk`.
            licences: of each.
        """

    told = {
        a.name: a.parameter.help
        for a in Arguments([run], name="run").app.assemble_argument_collection()
    }
    assert told == {
        "--per-page": "none is all; with `--kinds all` too.",
        "--kinds": '`kinds` or `all`; `""` is none, see `--per-page` and `save_to_disk`.',
        "--licence": "of each. As NAME=VALUE.",
    }


@pytest.mark.parametrize("line", [line for _, line in EXAMPLES])
def test_examples_fit_a_terminal_of_80_columns(line):
    assert len(line) <= 78


def test_the_overview_imports_nothing_large():
    code = "import sys; from t2vid.cli import main; main(['--help']); print(sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = done.stdout.splitlines()[-1]
    large = "datasets evaluate pandas pyarrow torch transformers PIL numpy av cyclopts rich yaml"
    assert [name for name in large.split() if f"'{name}'" in loaded] == []


def test_somebody_who_reads_along_is_told_which_section_explains_an_error(capsys, monkeypatch):
    from t2vid import terminal

    monkeypatch.setattr(terminal, "is_watched", lambda: True)
    assert cli.main(["rendr"]) == 2
    line, where = capsys.readouterr().err.splitlines()
    assert "is no command" in line and "reference/errors.html#inputerror" in where


# Arguments.


def test_signatures_become_options(capsys):
    def run(
        config: str,
        overrides: list[str] = [],  # noqa: B006
        *,
        gpus: int = 1,
        resume: bool = True,
        check: bool = False,
        benchmarks: dict[str, str] | None = None,
        licences: dict[str, str] | str | None = None,
        fail_if: list[str] = [],  # noqa: B006
        token: str | None = None,
        model: Any = None,
    ) -> None:
        """Run it."""

    arguments = Arguments([run], name="run", positional=("overrides",))
    line = "--config X a=1 --gpus 2 b=-2 --no-resume --benchmark n=f --benchmark m=g=h"
    line += " --fail-if x>1 --fail-if y<2 --licence mit --check"
    assert arguments.parse(line.split()) == {
        "config": "X",
        "overrides": ["a=1", "b=-2"],
        "gpus": 2,
        "resume": False,
        "check": True,
        "benchmarks": {"n": "f", "m": "g=h"},
        "fail_if": ["x>1", "y<2"],
        "licences": "mit",
    }
    assert arguments.parse(["--config=X", "--licence", "a=mit", "--licence", "b=x"]) == {
        "config": "X",
        "licences": {"a": "mit", "b": "x"},
    }
    assert arguments.parse(["--config", "X", "-"]) == {"config": "X", "overrides": ["-"]}
    assert not {"--token", "--model", "--no-check"} & arguments.options
    for wrong, says in {
        "--config X --licence mit --licence a=mit": "give it alone",
        "--config X --benchmark file.json": "NAME=VALUE",
        "--config X --gpu 2": "Did you mean --gpus",
        "--config X --gpus many": "--gpus",
        "a=1": "--config",
        "--config X --token secret": "--token",
    }.items():
        with pytest.raises(InputError, match=says):
            arguments.parse(wrong.split())


def test_defaults_are_not_validated_as_input():
    import pydantic  # where it is imported, cyclopts checks values and defaults with it

    def run(rows: list[str] = [], *, out: str | None = None, ids: tuple[str, ...] = ()) -> None:  # noqa: B006
        """Run it."""

    assert pydantic.VERSION and Arguments([run], name="run").parse([]) == {}


def test_an_option_of_the_other_use_is_named(capsys):
    assert cli.main(["train", "--config", "x", "--gpus", "8"]) == 2
    assert (
        capsys.readouterr().err == "t2vid train: --gpus is about --check; see t2vid train --help\n"
    )


def test_an_unknown_command_names_those_that_are_near(capsys):
    assert cli.main(["rendr"]) == 2
    assert capsys.readouterr().err == "t2vid: 'rendr' is no command; near: render\n"


# What is printed, and the exit code.


def test_a_refused_input_is_one_line_and_exit_code_2(demo, capsys):
    def refuse() -> None:
        raise InputError("steps (1) must be at least 2")

    demo(refuse)
    assert cli.main(["demo"]) == 2
    assert capsys.readouterr().err == "t2vid demo: steps (1) must be at least 2\n"


def test_what_the_system_refuses_is_one_line_with_the_path(tmp_path, capsys):
    (tmp_path / "notes.txt").write_text("Some words.")
    out = tmp_path / "out.txt"
    out.write_text("A file.")
    assert cli.main(["render", str(tmp_path / "notes.txt"), "--out", str(out)]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and str(out) in said and "Errno" not in said


def test_a_folder_that_is_no_dataset_is_refused(tmp_path, capsys):
    assert cli.main(["push", str(tmp_path), "me/x"]) == 2
    assert "no finished mix and no saved dataset" in capsys.readouterr().err
    with pytest.raises(FileNotFoundError, match="is no folder"):
        open_folder(tmp_path / "nowhere")


def test_a_warning_is_one_line_without_a_place_in_the_code(demo, capsys):
    def warn() -> None:
        warnings.warn("mind this", UserWarning, stacklevel=1)

    demo(warn)
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        assert cli.main(["demo"]) == 0
    assert capsys.readouterr().err == "t2vid: mind this\n"


def test_ctrl_c_is_exit_code_130_without_a_traceback(demo, capsys):
    def interrupt() -> None:
        raise KeyboardInterrupt

    demo(interrupt)
    assert cli.main(["demo"]) == 130
    assert "interrupted" in capsys.readouterr().err


def test_json_is_the_only_thing_on_standard_output(demo, capsys):
    def chat() -> dict[str, Any]:
        print("on the way")
        return {"n": 1, "share": float("inf"), "items": (1, 2)}

    demo(chat, json=True)
    assert cli.main(["demo", "--json"]) == 0
    shown = capsys.readouterr()
    assert json.loads(shown.out) == {"n": 1, "share": None, "items": [1, 2]}
    assert shown.err == "on the way\n"
    assert cli.main(["demo", "--quiet"]) == 0
    assert capsys.readouterr() == ("", "")


def test_a_script_reads_what_a_build_would_be_and_what_it_was(tmp_path, capsys):
    assert cli.main(["build", "sample", "--dry-run", "--json"]) == 0
    planned = json.loads(capsys.readouterr().out)
    assert cli.main(["build", "sample", "--out", str(tmp_path / "mix"), "--json"]) == 0
    built = json.loads(capsys.readouterr().out)
    assert planned["counts"]["kept"] == built["n_rows"] == 46


def test_a_connection_that_fails_is_one_line(demo, capsys):
    import httpx

    def ask() -> None:
        raise httpx.ConnectError("Name or service\nnot known")

    demo(ask)
    assert cli.main(["demo"]) == 2
    said = capsys.readouterr().err
    assert said == (
        "t2vid demo: no connection: Name or service not known (ConnectError); try again\n"
    )

    def ask_hub() -> None:
        request = httpx.Request("HEAD", "https://huggingface.co/me/none")
        raise httpx.ConnectError("no route", request=request)

    demo(ask_hub)
    assert cli.main(["demo"]) == 2
    assert "no connection to huggingface.co: no route" in capsys.readouterr().err


def test_a_line_that_a_library_prints_itself_comes_once(demo, capsys):
    def talk() -> None:
        logging.getLogger("talker.deep").warning("mind this")
        logging.getLogger("silent.deep").warning("and this")

    talker = logging.getLogger("talker")
    talker.addHandler(logging.StreamHandler(sys.stderr))
    demo(talk)
    logging.getLogger().handlers, kept = [], logging.getLogger().handlers
    try:
        assert cli.main(["demo"]) == 0
    finally:
        talker.handlers.clear()
        logging.getLogger().handlers = kept
    assert capsys.readouterr().err == "mind this\nt2vid: and this\n"


# As a process.


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "utf-8"])
def test_no_encoding_of_the_terminal_breaks_a_command(encoding, tmp_path):
    text = tmp_path / "ночь — 夜.txt"
    text.write_text("Some words.", encoding="utf-8")
    done = t2vid(
        "render", str(text), "--out", str(tmp_path / "out"), env={"PYTHONIOENCODING": encoding}
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "1 frame, 2 words" in done.stdout
    for arguments in (["--help"], ["render", "--help"]):
        assert t2vid(*arguments, env={"PYTHONIOENCODING": encoding}).returncode == 0


def test_a_reader_that_went_away_is_no_error():
    for arguments in (["--help"], ["render", "--help"], ["completion", "bash"]):
        reader, writer = os.pipe()
        os.close(reader)
        done = t2vid(*arguments, stdout=writer)
        os.close(writer)
        assert (done.returncode, done.stderr) == (0, ""), arguments


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="a device of Linux")
def test_a_full_disk_is_one_line():
    with open("/dev/full", "w") as full:
        done = t2vid("--help", stdout=full)
    assert (done.returncode, done.stderr) == (
        2,
        "t2vid: No space left on device; make room and run it again\n",
    )


@pytest.mark.parametrize(
    "module", ["t2vid", "t2vid.cli", "cyclopts", "t2vid.mixing.build", "numpy", "pyarrow"]
)
def test_ctrl_c_while_modules_are_imported_is_one_line(module):
    code = f"""
import signal, sys
class Interrupt:
    def find_spec(self, name, path=None, target=None):
        if name == {module!r}:
            signal.raise_signal(signal.SIGINT)
from t2vid_script import main
sys.meta_path.insert(0, Interrupt())
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.argv[1:] = ["build", "sample", "--dry-run"]
sys.exit(main())
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 130
    name = "t2vid" if module.startswith("t2vid") and "build" not in module else "t2vid build"
    assert done.stderr.strip() == f"{name}: interrupted; run it again to go on"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_is_a_script_that_the_shell_reads(shell, capsys):
    assert cli.main(["completion", shell]) == 0
    script = capsys.readouterr().out
    assert "fail-on-overlap" in script and "inspect" in script
    if shutil.which(shell):
        subprocess.run([shell, "-n"], input=script, text=True, check=True)


def test_completion_of_an_unknown_shell_names_those_that_there_are(capsys):
    assert cli.main(["completion", "tcsh"]) == 2
    assert "bash, zsh, fish" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["build", "train", "merge", "trace", "eval"])
def test_a_missing_argument_is_named_with_an_example(name, capsys):
    assert cli.main([name]) == 2
    said = capsys.readouterr().err
    assert "is missing; example: t2vid " + name in said
    assert said.count("\n") == 1


@pytest.mark.parametrize("line", ["RUN.yaml lr=1 a=2", "--config RUN.yaml lr=1 a=2"])
def test_a_first_word_stands_for_the_option_that_leads(line):
    def run(config: str, overrides: list[str]) -> None:
        """Run."""

    parser = Arguments([run], name="run", positional=["overrides"], lead="config")
    assert parser.parse(line.split()) == {"config": "RUN.yaml", "overrides": ["lr=1", "a=2"]}
    with pytest.raises(InputError, match="CONFIG"):
        parser.parse(["lr=1"])
