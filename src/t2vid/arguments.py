"""Makes a command of a public function: its signature gives the arguments, its docstring the help.

>>> def shout(words: list[str], *, times: int = 1) -> str:
...     '''Say words loudly.'''
...     return " ".join(words * times).upper()
>>> Arguments([shout], name="shout").parse(["hello", "--times", "2"])
{'words': ['hello'], 'times': 2}

Positional parameters stay positional, keyword-only ones become options. A list is an option that
may be repeated and takes the singular (`benchmarks` is `--benchmark`), a pair takes two words, a
mapping `NAME=VALUE`. Parameters that a command line cannot give (models, specs, tokens) are left out.
"""

from __future__ import annotations

import builtins
import inspect
import io
import os
import re
import shutil
import sys
import typing
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from types import GenericAlias, NoneType, UnionType
from typing import Annotated, Any, Literal, NamedTuple, Optional, Union

from cyclopts import App, CycloptsError, MissingArgumentError, Parameter, convert

from t2vid.errors import InputError

Kind = Literal["value", "many", "pairs", "pairs or one"]
_DASH = "\0-"  # a lone dash is standard input, and cyclopts takes it for an option
_PLAIN = (bool, int, float, str)
_SECRETS = {"token"}  # every user of a machine sees the command lines of the others


class Argument(NamedTuple):
    """One parameter as a command line gives it.

    Attributes:
        parameter: of the function.
        kind: one value, many, `NAME=VALUE` pairs, or pairs or one value that is meant for all.
        hint: the type that is parsed.
    """

    parameter: inspect.Parameter
    kind: Kind
    hint: Any

    @property
    def option(self) -> str:
        """The name behind the dashes."""
        name = self.parameter.name.strip("_").replace("_", "-")
        return name.removesuffix("s") if self.kind != "value" else name

    def declared(self, *, positional: bool, says: str) -> inspect.Parameter:
        """Give the parameter in the words of cyclopts."""
        old = self.parameter
        required = old.default is old.empty
        default = old.default if required or isinstance(old.default, _PLAIN) else None
        full = old.name.strip("_").replace("_", "-")
        pairs = {"pairs": " As NAME=VALUE.", "pairs or one": " As VALUE or NAME=VALUE."}
        hint = Optional[self.hint] if default is None else self.hint  # noqa: UP045 (a variable)
        named = Parameter(
            name=f"--{full}" if positional else f"--{self.option}",
            alias=() if positional or self.option == full else f"--{full}",
            help=says + pairs.get(self.kind, ""),
            negative=() if default is False else None,
            converter=partial(_whole, hint) if self.hint is int else None,
            show_default=not (default in (None, "") or isinstance(default, bool)),
        )
        kind = old.POSITIONAL_OR_KEYWORD if positional else old.KEYWORD_ONLY
        return old.replace(kind=kind, default=default, annotation=Annotated[hint, named])

    def convert(self, value: Any) -> Any:
        """Turn what was parsed into what the function takes."""
        if isinstance(value, str):
            return "-" if value == _DASH else value
        if self.kind == "many":
            return ["-" if item == _DASH else item for item in value]
        if self.kind == "value":
            return value
        whole = [item for item in value if "=" not in item]
        if whole and self.kind == "pairs or one" and len(value) == 1:
            return whole[0]
        if whole:
            alone = "; without a name it is meant for all: give it alone" * (self.kind != "pairs")
            raise InputError(f"--{self.option} {whole[0]!r} must be NAME=VALUE{alone}")
        return dict(item.split("=", 1) for item in value)


def arguments_of(
    function: Callable[..., Any],
    *,
    shown: Iterable[str] = (),
    fields: Callable[..., Any] | None = None,
) -> list[Argument]:
    """List the parameters of a function that a command line can give.

    Args:
        function: a public function with type hints.
        shown: parameters of the type `Any` that are given as text; required ones always are.
        fields: a configuration whose fields the function takes as `**changes`.
    """
    if fields is not None:
        optional = [
            argument._replace(parameter=argument.parameter.replace(default=None))
            for argument in arguments_of(fields)
        ]
        return [*arguments_of(function, shown=shown), *optional]
    found = []
    source = function.__init__ if inspect.isclass(function) else function
    hints = typing.get_type_hints(source, localns=_Names(source))
    for parameter in inspect.signature(function).parameters.values():
        hint = hints.get(parameter.name, Any)
        if hint is Any and (parameter.default is parameter.empty or parameter.name in shown):
            hint = str
        kind, spelled = _spelled(hint)
        named = parameter.kind not in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL)
        if spelled is not None and named and parameter.name not in _SECRETS:
            found.append(Argument(parameter, kind, spelled))
    return found


class Arguments:
    """The parser of one command.

    Args:
        functions: usually one; of several, the arguments of all.
        name: what the help calls the command.
        positional: parameters that are positional; by default those of the first function.
        shown: parameters of the type `Any` that are given as text.
        fields: a configuration whose fields the functions take as `**changes`.
        flags: further options without a value, and what they do.
        epilogue: stands at the end of the help.
        lead: an option for which a first word without a name stands, where what follows are pairs.
    """

    def __init__(
        self,
        functions: Sequence[Callable[..., Any]],
        *,
        name: str,
        positional: Sequence[str] | None = None,
        shown: Iterable[str] = (),
        fields: Callable[..., Any] | None = None,
        flags: Mapping[str, str] | None = None,
        epilogue: str = "",
        lead: str = "",
    ) -> None:
        self.known = {
            argument.parameter.name: argument
            for function in functions
            for argument in arguments_of(function, shown=shown, fields=fields)
        }
        if positional is None:
            first = inspect.signature(functions[0]).parameters.values()
            positional = [p.name for p in first if p.kind is p.POSITIONAL_OR_KEYWORD]
        ahead = [name for name in positional if name in self.known]
        self.ahead, self.lead, self.epilogue = ahead, lead, epilogue
        self.example = " ".join(line.strip() for line in epilogue.splitlines()[:2])
        told = {
            name: text
            for f in [fields, *functions]
            if f is not None
            for name, text in _described(f).items()
        }
        listed = [
            self.known[name].declared(
                positional=name in ahead, says=self._worded(told.get(name, ""))
            )
            for name in dict.fromkeys([*ahead, *self.known])
        ]
        for flag, says in (flags or {}).items():
            hint = Annotated[bool, Parameter(negative=(), help=says, show_default=False)]
            kind = inspect.Parameter.KEYWORD_ONLY
            listed.append(inspect.Parameter(flag, kind, default=False, annotation=hint))
        signature = inspect.Signature(listed)

        def command(*values: Any, **named: Any) -> dict[str, Any]:
            return dict(signature.bind(*values, **named).arguments)

        command.__signature__ = signature  # type: ignore[attr-defined]
        text = str(inspect.getdoc(functions[0])).partition("\nArgs:")[0].strip()
        command.__doc__ = "\n\n".join(" ".join(part.split()) for part in text.split("\n\n"))
        self.app = App(
            name=name,
            help_flags=("--help", "-h"),
            version_flags=(),
            help_format="plaintext",
            default_parameter=Parameter(negative_iterable=(), negative_none=()),
            exit_on_error=False,
            print_error=False,
            result_action="return_value",
        )
        self.app["--help"].show = False  # the usage line and every other tool say that it is there
        self.app.default(command)

    def _worded(self, says: str) -> str:
        """Say in the words of a command line what a docstring says in those of Python."""

        def worded(code: re.Match[str]) -> str:
            word, _, value = code[1].replace('"', "").partition("=")
            if word and code[1] == f'"{word}"':
                return f"`{word}`"  # a value
            if word in self.known:
                return f"`{f'--{self.known[word].option} {value}'.rstrip()}`"
            return code[0]

        return re.sub(r"\bNone\b", "none", re.sub(r"`([^`]+)`", worded, says))

    @property
    def options(self) -> set[str]:
        """Every option with its dashes."""
        return {name for a in self.app.assemble_argument_collection() for name in a.names}

    def help(self) -> str:
        """Give the help page, as wide and colourful as the terminal is, in characters it has."""
        from rich.console import Console

        encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
        page = io.TextIOWrapper(io.BytesIO(), encoding=encoding, errors="replace")
        tty = sys.stdout is not None and sys.stdout.isatty()
        width = shutil.get_terminal_size().columns
        self.app.help_print([], console=Console(file=page, force_terminal=tty, width=width))
        page.seek(0)
        # White can be read on a dark terminal only.
        told = page.read().rstrip().replace("\x1b[37m", "\x1b[2m")
        # As they are: a terminal wraps a long line, and it is still one when it is pasted.
        return "\n\n".join(filter(None, [told, self.epilogue]))

    def parse(self, tokens: Sequence[str]) -> dict[str, Any]:
        """Give the arguments that were given, by parameter.

        Raises:
            InputError: for a command line that does not fit, naming what does.
        """
        given_first = tokens and not tokens[0].startswith("-") and "=" not in tokens[0]
        if self.lead and given_first:
            tokens = [f"--{self.lead}", *tokens]
        try:
            given = self.app([_DASH if token == "-" else token for token in tokens])
        except MissingArgumentError as error:
            option = error.argument.name if error.argument is not None else "an argument"
            word = option.removeprefix("--").replace("-", "_")
            named = f"{word.upper()} (or {option})" if word in (*self.ahead, self.lead) else option
            named = f"a value of {option}" if option in tokens else named
            raise InputError(f"{named} is missing; {self.example}") from error
        except CycloptsError as error:
            raise InputError(" ".join(str(error).split()).replace(_DASH, "-")) from error
        return {n: self.known[n].convert(v) if n in self.known else v for n, v in given.items()}


def _whole(hint: Any, kind: type, tokens: Sequence[Any]) -> Any:
    """Convert a whole number as cyclopts does, but round none."""
    for token in tokens:
        if re.fullmatch(r"[-+]?\d*\.\d*[1-9]\d*", token.value):
            raise ValueError(f"{token.value} is no whole number")
    return convert(hint, tokens)


class _Names(dict[str, Any]):
    """Names of a function's module; what is imported only for type checkers counts as `Any`."""

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__(vars(builtins) | getattr(function, "__globals__", {}))

    def __missing__(self, name: str) -> Any:
        if name.startswith("__"):  # debuggers and pytest look for their own marks
            raise KeyError(name)
        return Any


def _described(function: Callable[..., Any]) -> dict[str, str]:
    """Give what a docstring says about each parameter, on one line."""
    from docstring_parser import DocstringStyle, parse

    found = parse(inspect.getdoc(function) or "", style=DocstringStyle.GOOGLE).params
    return {one.arg_name: " ".join((one.description or "").split()) for one in found}


def _spelled(hint: Any) -> tuple[Kind, Any]:
    """Say how a command line gives a value of this type; None where it cannot."""
    parts = typing.get_args(hint) if typing.get_origin(hint) in (Union, UnionType) else (hint,)
    kinds = [_kind(part) for part in parts if part is not NoneType]
    if "pairs" in kinds:
        return ("pairs or one" if str in kinds else "pairs"), list[str]
    lists = [kind for kind in kinds if typing.get_origin(kind) is list]
    if lists:
        return "many", lists[0]
    plain = [kind for kind in kinds if kind is not None]
    return "value", plain[0] if plain else None


def _kind(part: Any) -> Any:
    origin, inner = typing.get_origin(part) or part, typing.get_args(part)
    if origin is Literal or part in (bool, int, float):
        return part
    if part is str or (inspect.isclass(origin) and issubclass(origin, Path | os.PathLike)):
        return str
    if not inspect.isclass(origin) or not inner:
        return None
    if issubclass(origin, Mapping):
        return "pairs" if inner[0] is str and _spelled(inner[1])[1] is str else None
    if origin is tuple and ... not in inner:  # so many words behind one option
        return part if set(inner) <= set(_PLAIN) else None
    if issubclass(origin, Iterable):
        element = _spelled(inner[0])[1]
        if element is not None and typing.get_origin(element) is not list:
            return GenericAlias(list, (element,))
    return None
