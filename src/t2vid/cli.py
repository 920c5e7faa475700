"""The command line: one command is one public function with the same name and arguments.

t2vid --help
t2vid demo --out demo

`t2vid.commands` names the function behind each command, so that `t2vid --help` imports none of
them; `t2vid.arguments` makes the options from its signature and docstring.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any, Literal, cast

from t2vid import terminal
from t2vid._version import __version__
from t2vid.commands import COMMANDS, Given
from t2vid.errors import InputError, T2VidError, error_page


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        arguments: of the command line; by default those of this process.

    Returns:
        0 when it did its work, 1 where a condition of --fail-if holds, 2 for an input it refused
        (one line says why), 130 for Ctrl-C.
    """
    tokens = list(sys.argv[1:] if arguments is None else arguments)
    name = f"t2vid {tokens[0]}" if tokens and tokens[0] in COMMANDS else "t2vid"
    terminal.replace_unprintable()
    try:
        status = _dispatch(tokens)
        if sys.stdout is not None:
            sys.stdout.flush()  # here, where a closed pipe or a full disk can still be told
        return status
    except T2VidError as error:
        terminal.complain(f"{name}: {error}")
        if terminal.is_watched():  # somebody reads along; a log keeps its one line
            terminal.complain(f"what it means: {error_page(error)} of the documentation")
    except OSError as error:
        if not terminal.stdout_is_whole() and isinstance(error, BrokenPipeError):
            return 0  # `t2vid … | head`
        terminal.complain(f"{name}: {terminal.one_line(error)}")
    except KeyboardInterrupt:
        resumes = "train" not in tokens[:1] or "resume_from_checkpoint=" in " ".join(tokens)
        again = "run it again" if resumes else "run it with resume_from_checkpoint=true"
        terminal.complain(f"\n{name}: interrupted; {again} to go on")
        return 130
    except Exception as error:
        if not terminal.is_of_network(error):
            raise
        said = " ".join(str(error).split())
        where = terminal.host_of(error)
        to = f" to {where}" if where else ""
        terminal.complain(f"{name}: no connection{to}: {said} ({type(error).__name__}); try again")
    return 2


def _dispatch(tokens: list[str]) -> int:
    first = tokens[0] if tokens else "--help"
    if first in ("--help", "-h", "help"):
        terminal.say(_overview())
        return 0 if tokens else 2
    if first == "--version":
        terminal.say(f"t2vid {__version__}")
        return 0
    if first == "completion":
        terminal.say(_completion(tokens[1:]))
        return 0
    if first not in COMMANDS:
        from difflib import get_close_matches

        near = get_close_matches(first, COMMANDS) or list(COMMANDS)
        raise InputError(f"{first!r} is no command; near: {', '.join(near)}")
    return _run(first, tokens[1:])


def _run(name: str, tokens: list[str]) -> int:
    command = COMMANDS[name]
    if {"--help", "-h"} & set(tokens):
        terminal.say("\n\n".join(parser_of(name, key).help() for key in command.calls))
        return 0
    from t2vid.progress import quieten_libraries, visible

    if "--quiet" in tokens or not visible():
        quieten_libraries()
    usual, *others = command.calls
    choose = command.choose or (lambda tokens: next(filter(others.__contains__, tokens), usual))
    key = choose(tokens)
    given = _parse(name, key, [token for token in tokens if not key or token != key])

    import contextlib
    import io
    import logging
    import warnings

    from t2vid.progress import silenced
    from t2vid.storage.offline import LOGGER, HubIsAway

    as_json, quiet = given.pop("json", False), given.pop("quiet", False)
    logging.basicConfig(level=logging.WARNING, format="t2vid: %(message)s")
    for handler in logging.getLogger().handlers:
        handler.addFilter(terminal.is_said_once)
    with contextlib.ExitStack() as stack:
        if name != "push":  # which has tries of its own, and nothing in a cache to go on with
            away, hub = HubIsAway(), logging.getLogger(LOGGER)
            hub.addFilter(away)
            stack.callback(hub.removeFilter, away)
        stack.enter_context(warnings.catch_warnings())
        warnings.showwarning = _show_warning
        if quiet:
            stack.enter_context(silenced())
        if quiet or as_json:  # what a function prints on its way is not the result
            elsewhere = io.StringIO() if quiet else sys.stderr
            stack.enter_context(contextlib.redirect_stdout(elsewhere))
        result = function_at(command.calls[key])(**given)
        if as_json:
            shown = terminal.as_json(command.facts(result, given))
        else:
            shown = command.text(result, given)
            if (wide := terminal.columns()) < sys.maxsize:  # a file or a program gets Markdown
                shown = terminal.laid_out(shown, wide)
    if shown and (as_json or not quiet):
        terminal.say(shown)
    return command.status(result)


def _show_warning(message: Warning | str, *place: Any, **options: Any) -> None:
    terminal.complain(f"t2vid: {message}")  # where in the code it arose is no help here


def function_at(path: str) -> Callable[..., Any]:
    """Import the function that a `module:function` names."""
    from importlib import import_module

    module, _, name = path.partition(":")
    function: Callable[..., Any] = getattr(import_module(module), name)
    return function


def parser_of(name: str, key: str, *more: str) -> Any:
    """Make the parser of a command.

    Args:
        name: of the command.
        key: of the function among its `calls`.
        more: keys of functions whose arguments it takes as well.
    """
    from t2vid.arguments import Arguments

    command = COMMANDS[name]
    flags = {"quiet": "print only warnings and errors"}
    if command.json:
        flags["json"] = "print the result as JSON"
    if key == next(iter(command.calls)):  # its help names the options that choose another function
        for other, path in command.calls.items():
            if other.startswith("--"):
                flags[other[2:]] = str(function_at(path).__doc__).partition("\n")[0]
    examples = [line for line in command.examples if not key.startswith("--") or key in line]
    return Arguments(
        [function_at(command.calls[k]) for k in (key, *more)],
        name=f"t2vid {name}" + (f" {key}" if key.startswith("--") else ""),
        positional=command.positional,
        lead=command.lead,
        shown=command.shown,
        fields=cast(type, function_at(command.fields)) if command.fields else None,
        flags=flags,
        epilogue="\n  ".join(["example:", *(examples or command.examples)]),
    )


def _parse(name: str, key: str, tokens: list[str]) -> Given:
    parser = parser_of(name, key)
    try:
        given: Given = parser.parse(tokens)
        return given
    except InputError:
        for other in COMMANDS[name].calls:
            foreign = parser_of(name, other).options - parser.options
            for option in foreign & {token.partition("=")[0] for token in tokens}:
                raise InputError(f"{option} is about {other}; see t2vid {name} --help") from None
        raise


def _overview() -> str:
    import textwrap

    width = min(terminal.columns(), 1_000)
    told = {name: command.help for name, command in COMMANDS.items()}
    told["completion"] = "Print what completes commands and options in your shell"
    indent = " " * (len("completion") + 4)
    lines = [
        "usage: t2vid COMMAND …",
        "",
        *textwrap.wrap(
            "Long texts as frame sequences, mixed with video, to teach image-LLMs video.", width
        ),
        "",
        *(
            textwrap.fill(f"  {name:<10}  {says}", width, subsequent_indent=indent)
            for name, says in told.items()
        ),
        "",
        *textwrap.wrap(
            "t2vid COMMAND --help shows its options and an example; t2vid --version the version.",
            width,
        ),
        "Start with: t2vid demo",
    ]
    return "\n".join(lines)


def _completion(tokens: list[str]) -> str:
    shells: dict[str, Literal["bash", "zsh", "fish"]] = {
        "bash": "bash",
        "zsh": "zsh",
        "fish": "fish",
    }
    if len(tokens) != 1 or tokens[0] not in shells:
        raise InputError(
            f"completion takes one of {', '.join(shells)}; for bash: "
            'eval "$(t2vid completion bash)"'
        )
    from cyclopts import App

    app = App(name="t2vid", help_format="plaintext")
    for name, command in COMMANDS.items():
        app.command(parser_of(name, *command.calls).app, name=name)
    return app.generate_completion(shell=shells[tokens[0]])
