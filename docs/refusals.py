"""What t2vid says when it refuses something, read off its source for the page of errors.

messages()["BadVideo"]["frames"]  # ["…: it ends at … s, before …; check the times, or leave it out", …]

A message is shown with `…` for what is filled in. An error may be made by a function that returns
it: then each call of that function is a message, with the words that are given to it.
"""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).parents[1]
# Builtins that are raised where t2vid cannot be imported, by the error whose section tells of them.
_BUILTINS = {
    "ValueError": "InputError",
    "ImportError": "MissingExtra",
    "RuntimeError": "InputError",
}
_REASONS = ("_filtered", "_text_problem", "_video_problem", "over")  # functions that give a reason
_LEFT_OUT = "Unusable"  # of a question; its words are the reason


@functools.cache
def messages() -> dict[str, dict[str, list[str]]]:
    """Collect the messages of every error that the package raises, by class and room."""
    found: dict[str, dict[str, list[str]]] = {}
    for room, kind, said, _ in _raised():
        listed, said = found.setdefault(kind, {}), re.sub("…+", "…", " ".join(said.split()))
        if kind != _LEFT_OUT and re.search(r"\w{2}", said) and said not in listed.get(room, ()):
            listed.setdefault(room, []).append(said)
    found.pop(_LEFT_OUT, None)
    return found


def video_reasons() -> set[str]:
    """Give the words that tables have for what is wrong with a video."""
    return {reason for _, kind, _, reason in _raised() if kind == "BadVideo" and reason.strip("…")}


def left_out() -> dict[str, list[str]]:
    """Give the words under which rows and questions are counted that are left out, by room."""
    found: dict[str, set[str]] = {}
    for room, kind, said, reason in _raised():
        if kind != "BadVideo":
            found.setdefault(room, set()).add(said if kind == _LEFT_OUT else reason)
    for path, tree in _trees():
        said = found.setdefault(_room(path), set())
        for node in ast.walk(tree):
            called = ast.unparse(node.func) if isinstance(node, ast.Call) else ""
            why: list[ast.expr] = []
            if isinstance(node, ast.FunctionDef) and node.name in _REASONS:
                why = [n.value for n in ast.walk(node) if isinstance(n, ast.Return) and n.value]
            elif isinstance(node, ast.Call) and called.endswith(("counts.drop", "dropped.drop")):
                why = node.args[:1]
            elif isinstance(node, ast.Call) and called == "Candidate":
                why = [k.value for k in node.keywords if k.arg == "reason"]
            said.update(_template(one, one, node, {}) for one in why)
    words = {
        room: sorted(one for one in said if re.search(r"\w", one)) for room, said in found.items()
    }
    return {room: said for room, said in sorted(words.items()) if said}


def _raised() -> Iterator[tuple[str, str, str, str]]:
    """Give room, class, message and reason of each place where an error is made.

    That is a call of its class, or of a function that returns one: then with the words that are given to it.
    """
    kinds = _kinds()
    for path, tree in _trees():
        scopes = [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)]
        raised = {id(n.exc) for n in ast.walk(tree) if isinstance(n, ast.Raise)}
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call):
                continue
            inner = [n for n in scopes if n.lineno <= node.lineno <= (n.end_lineno or 0)]
            scope = (inner or [tree])[-1]
            made, given, name = node, {}, ast.unparse(node.func)
            if helper := _helpers().get(name.rpartition(".")[2] if "." in name else name):
                own = name.startswith("self.") or name.count(".") <= (
                    name.rpartition(".")[2] != "error"
                )
                if not own or (name.startswith("self.") and helper[0] not in scopes):
                    continue
                function, made = helper
                names = [one.arg for one in function.args.args if one.arg != "self"]
                words = zip(names, node.args, strict=False)
                given = {key: _template(value, node, scope, {}) for key, value in words}
                scope, name = function, ast.unparse(made.func)
            if not made.args or not (name in kinds or (name in _BUILTINS and id(node) in raised)):
                continue
            reason = [one.value for one in made.keywords if one.arg == "reason"]
            about = "".join(_template(one, made, scope, given) for one in reason)
            for message in _alternatives(made.args[0], made, scope, given):
                yield _room(path), kinds.get(name) or _BUILTINS[name], message, about


def _room(path: Path) -> str:
    package = ROOT / "src" / "t2vid"
    place = path.relative_to(package if package in path.parents else ROOT)
    return place.parts[0] if len(place.parts) > 1 else ""


def _alternatives(
    node: ast.expr, call: ast.Call, scope: ast.AST, given: Mapping[str, str]
) -> Iterator[str]:
    """Give what a message may be: either side of a condition, what a function of ours returns."""
    if isinstance(node, ast.IfExp):
        yield from (_template(side, call, scope, given) for side in (node.body, node.orelse))
    elif isinstance(node, ast.Call) and (
        one := _texts().get(ast.unparse(node.func).split(".")[-1])
    ):
        for made in ast.walk(one):
            if isinstance(made, ast.Return) and made.value is not None:
                yield _template(made.value, made, one, {})
    else:
        yield _template(node, call, scope, given)


@functools.cache
def _kinds() -> dict[str, str]:
    """Give each class of errors by name, with the public one whose section tells of it."""
    kinds = {name: name for name in error_classes()} | {_LEFT_OUT: _LEFT_OUT}
    for _, tree in _trees():
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef) and (known := [ast.unparse(b) for b in node.bases]):
                if node.name not in kinds and known[0] in kinds:
                    kinds[node.name] = kinds[known[0]]
    return kinds


@functools.cache
def _helpers() -> dict[str, tuple[ast.FunctionDef, ast.Call]]:
    """Find the functions of the package that return an error, by name, and where they make it."""
    return {
        node.name: (node, made.value)
        for _, tree in _trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) and getattr(node.returns, "id", "") in _kinds()
        for made in ast.walk(node)
        if isinstance(made, ast.Return) and isinstance(made.value, ast.Call)
    }


@functools.cache
def _texts() -> dict[str, ast.FunctionDef]:
    """Find the functions of the package that give a text, by name."""
    return {
        node.name: node
        for _, tree in _trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) and getattr(node.returns, "id", "") == "str"
    }


@functools.cache
def _trees() -> list[tuple[Path, ast.Module]]:
    """Read the files of the package, those behind its two links at their own places."""
    linked = [p for link in ("trainer", "dataset_scripts") for p in (ROOT / link).glob("**/*.py")]
    paths = sorted((ROOT / "src" / "t2vid").glob("**/*.py")) + sorted(linked)
    return [(path, ast.parse(path.read_text(encoding="utf-8"))) for path in paths]


def _template(
    node: ast.expr,
    call: ast.expr | ast.stmt,
    scope: ast.AST,
    given: Mapping[str, str],
) -> str:
    """Give a message with `…` for what is filled in; a variable of its function is looked up."""
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(_template(part, call, scope, given) for part in node.values)
    if isinstance(node, ast.FormattedValue):
        return (
            _template(node.value, call, scope, given) if ast.unparse(node.value) in given else "…"
        )
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return _template(node.left, call, scope, given) + _template(node.right, call, scope, given)
    if isinstance(node, ast.Name):
        if node.id in given:
            return given[node.id]
        for one in ast.walk(scope):
            if isinstance(one, ast.Assign) and call.lineno - 12 < one.lineno < call.lineno:
                if ast.unparse(one.targets[0]) == node.id:
                    return _template(one.value, one, scope, given)
    return "…"


def error_classes() -> dict[str, type]:
    """Give the public errors by name."""
    from t2vid import errors

    return {
        name: value
        for name, value in vars(errors).items()
        if isinstance(value, type) and issubclass(value, errors.T2VidError)
    }
