"""Which part of a program is a keyword, a string or a comment, by pygments.

>>> [part for part in highlighted("if x:  # why", "python") if part.kind]
[CodePart(text='if', kind='keyword', style='b'), CodePart(text='# why', kind='comment', style='i')]
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, NamedTuple

from t2vid.errors import InputError

MAX_HIGHLIGHTED = 200_000  # characters: a lexer of regular expressions may be slow on data
_GUESSED_FROM = 2_000
_SYMBOLS = re.compile(r"[][(){}<>=;:/_#$&|+*@%]")
# what an unnamed program is compared with: the rest of pygments' 500 are rarely meant
_COMMON = (
    "python", "javascript", "typescript", "java", "c", "cpp", "csharp", "go", "rust", "ruby", "php",
    "bash", "sql", "html", "css", "json", "yaml", "toml", "diff", "swift", "kotlin", "r", "lua",
)  # fmt: skip
_KINDS = (  # the first that a token's type is in
    ("Comment", "comment", "i"),
    ("Keyword", "keyword", "b"),
    ("Operator.Word", "keyword", "b"),
    ("Name.Function", "name", ""),
    ("Name.Class", "name", "b"),
    ("Name.Tag", "name", "b"),
    ("Name.Decorator", "name", ""),
    ("Literal.String", "string", ""),
    ("Literal.Number", "number", ""),
    ("Generic.Inserted", "inserted", ""),
    ("Generic.Deleted", "deleted", ""),
    ("Generic.Heading", "", "b"),
    ("Generic.Subheading", "", "b"),
)


class CodePart(NamedTuple):
    """A part of a program, its kind as in `styles`, and `b` or `i` for bold or italic."""

    text: str
    kind: str = ""
    style: str = ""


def highlighted(code: str, language: str | None) -> list[CodePart]:
    """Cut a program into parts that concatenate to it.

    Args:
        code: the program.
        language: a name that pygments knows; None, or one that it does not know, guesses.

    Returns:
        One part without a kind, where the language is none of the common ones or the program has
        more than `MAX_HIGHLIGHTED` characters.
    """
    lexer = (_lexer(language) if language else None) or _guessed(code[:_GUESSED_FROM])
    if lexer is None or len(code) > MAX_HIGHLIGHTED:
        return [CodePart(code)]
    parts = [CodePart(text, *_look(kind)) for kind, text in lexer.get_tokens(code) if text]
    # a lexer may add a newline or change what it reads; the text must stay what it is
    return parts if "".join(part.text for part in parts) == code else [CodePart(code)]


def lexer_named(name: str) -> Any:
    """Give pygments' lexer of a language.

    Raises:
        InputError: for a name that it does not know.
    """
    found = _lexer(name) if isinstance(name, str) else None
    if found is None:
        raise InputError(
            f"code_language ({name!r}) is no language that pygments knows; give one as 'python', or "
            "None to guess it"
        )
    return found


@lru_cache(maxsize=64)
def _lexer(name: str) -> Any:
    from pygments.lexers import get_lexer_by_name
    from pygments.util import ClassNotFound

    try:
        return get_lexer_by_name(name, stripnl=False, ensurenl=False)
    except ClassNotFound:
        return None


@lru_cache(maxsize=64)
def _guessed(start: str) -> Any:
    """Choose the common language with most keywords and least errors in the first lines."""
    if 25 * len(_SYMBOLS.findall(start)) < len(start):
        return None  # prose has keywords, too, but hardly a brace
    best, found = 2, None  # a word that happens to be a keyword makes no program
    for name in _COMMON:
        lexer = _lexer(name)
        kinds = [str(kind) for kind, _ in lexer.get_tokens(start)]
        sure = 20 * lexer.analyse_text(start)
        score = sure + sum("Keyword" in kind or "Name.Tag" in kind for kind in kinds)
        score -= 5 * sum(kind.endswith("Error") for kind in kinds)
        if score > best:
            best, found = score, lexer
    return found


@lru_cache(maxsize=512)
def _look(kind: Any) -> tuple[str, str]:
    name = str(kind).removeprefix("Token.") + "."
    for start, shown, style in _KINDS:
        if name.startswith(start + "."):
            return shown, style
    return "", ""
