"""What every configuration of t2vid can do: JSON and YAML both ways, presets and a stable hash.

>>> from dataclasses import dataclass
>>> @dataclass(frozen=True)
... class Page(FrozenConfig):
...     width: int = 448
>>> Page.from_json(Page(width=364).to_json()).width
364
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import warnings
from collections.abc import Callable, Mapping
from functools import cache, wraps
from pathlib import Path
from types import NoneType, UnionType
from typing import (
    Any,
    ClassVar,
    Literal,
    Self,
    TypeVar,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

from t2vid.errors import InputError, kind_of

C = TypeVar("C")


class FrozenConfig:
    """JSON, YAML and a hash for a frozen dataclass."""

    renamed: ClassVar[Mapping[str, str]] = {}

    def to_dict(self) -> dict[str, Any]:
        """Give every field, defaults included, as plain JSON values."""
        return dataclasses.asdict(self)  # type: ignore[call-overload, no-any-return]

    def to_json(self) -> str:
        """Give every field as one line of JSON with sorted keys."""
        return json.dumps(self.to_dict(), sort_keys=True, separators=(",", ":"))

    def to_yaml(self) -> str:
        """Give every field as YAML."""
        import yaml

        return yaml.safe_dump(self.to_dict(), sort_keys=False, allow_unicode=True)

    @classmethod
    def from_dict(cls, value: dict[str, Any]) -> Self:
        """Build from a mapping, refusing names that are no field."""
        if not isinstance(value, dict):
            raise InputError(f"a {cls.__name__} is a mapping of its fields, not {value!r:.80}")
        value = {cls._now(name, value): held for name, held in value.items()}
        names = [field.name for field in dataclasses.fields(cls)]  # type: ignore[arg-type]
        unknown = sorted(set(value) - set(names))
        if unknown:
            raise InputError(f"{cls.__name__} has no field {unknown}; its fields are {names}")
        return cls(**{k: tuple(v) if isinstance(v, list) else v for k, v in value.items()})

    @classmethod
    def _now(cls, name: Any, value: Mapping[str, Any]) -> Any:
        """Give what a field is called now; what was stored before is read without a word."""
        now = cls.renamed.get(name, name) if isinstance(name, str) else name
        return name if now in value else now

    @classmethod
    def from_value(cls, value: Self | Mapping[str, Any] | str | None) -> Self:
        """Take a spec as a configuration may give it: itself, its fields, a preset's name, or None.

        Raises:
            InputError: for anything else.
        """
        if isinstance(value, cls):
            return value
        if isinstance(value, str):
            return cls.preset(value)
        if value is None or isinstance(value, Mapping):
            return cls.from_dict(dict(value or {}))
        raise InputError(f"{kind_of(value)} is no {cls.__name__}; give one, or a mapping of fields")

    @classmethod
    def preset(cls, name: str) -> Self:
        """Give a spec by the name of its preset."""
        raise InputError(f"{cls.__name__} has no preset {name!r}; give a mapping of its fields")

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read what `to_json` wrote."""
        try:
            value = json.loads(text)
        except ValueError as error:
            raise InputError(
                f"the stored {cls.__name__} {text!r:.80} is no JSON ({error})"
            ) from None
        return cls.from_dict(value)

    @classmethod
    def from_yaml(cls, text: str) -> Self:
        """Read what `to_yaml` wrote."""
        return cls.from_dict(read_yaml(text, f"the {cls.__name__} {text!r:.80}"))

    @property
    def hash(self) -> str:
        """Sixteen hexadecimal digits that change with any field."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()[:16]


def read_yaml(text: str | Path, name: str = "") -> Any:
    """Read YAML in which no key stands twice: of two the first would be lost in silence.

    Args:
        text: of one document, or its file.
        name: what messages call it; by default the file.

    Raises:
        InputError: for anything else.

    >>> read_yaml("rows: 3\\nrows: 5", "mix.yaml")
    Traceback (most recent call last):
    t2vid.errors.InputError: mix.yaml has the key 'rows' twice, in lines 1 and 2; keep one
    """
    import yaml

    class Loader(yaml.SafeLoader):
        def flatten_mapping(self, node: Any) -> None:
            # called of each mapping before what `<<` brings is mixed in, which may stand twice
            lines: dict[str, int] = {}
            for key, _ in node.value:
                line = key.start_mark.line + 1
                if key.value in lines and key.tag != "tag:yaml.org,2002:merge":
                    raise InputError(
                        f"{name} has the key {key.value!r} twice, in lines {lines[key.value]} and "
                        f"{line}; keep one"
                    )
                if isinstance(key.value, str):
                    lines[key.value] = line
            super().flatten_mapping(node)

    name = name or str(text)
    try:
        loader = Loader(text.read_text(encoding="utf-8") if isinstance(text, Path) else text)
        return loader.get_single_data()
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputError(f"{name} is no YAML: {' '.join(str(error).split())}") from error


def check_kinds(config: Any, *, of: str = "") -> None:
    """Refuse a field of a dataclass whose value is not of the kind that its annotation says.

    Args:
        config: the dataclass.
        of: what its name is in messages.

    Raises:
        InputError: naming field, value and kind.

    >>> @dataclasses.dataclass
    ... class Page:
    ...     font: str | None = None
    ...     wrap: bool = True
    >>> check_kinds(Page(wrap="no"))
    Traceback (most recent call last):
    t2vid.errors.InputError: wrap ('no') must be true or false
    """
    cls: Any = type(config)
    for name, hint in _kinds(cls).items():
        value = getattr(config, name)
        if not _fits(value, hint):
            where = f"{of}: " if of else ""
            raise InputError(f"{where}{name} ({value!r:.80}) must be {_said(hint)}")


@cache
def _kinds(cls: Any) -> dict[str, Any]:
    hints = get_type_hints(cls)
    return {field.name: hints[field.name] for field in dataclasses.fields(cls)}


def _fits(value: Any, hint: Any) -> bool:
    origin, inner = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        return any(_fits(value, one) for one in inner)
    if origin is Literal:
        return value in inner
    if origin is tuple:
        return isinstance(value, tuple | list) and all(_fits(one, inner[0]) for one in value)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        pairs = value.items() if isinstance(value, Mapping) else [(None, None)]
        return all(_fits(k, inner[0]) and _fits(v, inner[1]) for k, v in pairs)
    if hint is Any or not isinstance(hint, type):
        return True
    if isinstance(value, bool):
        return hint is bool
    return isinstance(value, int | float if hint is float else hint)


def _said(hint: Any) -> str:
    origin, inner = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        return " or ".join(map(_said, inner))
    if origin is Literal:
        return f"one of {inner}"
    if origin is tuple:
        return f"a list, each item {_said(inner[0])}"
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return f"a mapping, each value {_said(inner[1])}"
    known = {str: "a text in quotes", bool: "true or false", int: "a whole number"}
    return str({**known, float: "a number", NoneType: "left out"}.get(hint, hint.__name__))


def former_names(**names: str) -> Callable[[type[C]], type[C]]:
    """Let a configuration take fields by their former names for one release, with a warning.

    Args:
        names: what a field is called now, by what it was called.

    >>> @former_names(edge="width")
    ... @dataclasses.dataclass(frozen=True)
    ... class Page(FrozenConfig):
    ...     width: int = 448
    >>> Page.from_dict({"edge": 364}).width
    364
    """

    def warned(old: str) -> None:
        text = f"{old}= is now called {names[old]}=; the old name goes away in the next release"
        warnings.warn(text, DeprecationWarning, stacklevel=3)

    def wrap(cls: type[C]) -> type[C]:
        build = cls.__init__

        @wraps(build)
        def init(self: C, *values: Any, **fields: Any) -> None:
            for old in names.keys() & fields.keys():
                warned(old)
                fields[names[old]] = fields.pop(old)
            build(self, *values, **fields)

        def read(old: str) -> property:
            def held(self: C) -> Any:
                warned(old)
                return getattr(self, names[old])

            return property(held)

        cls.__init__ = init  # type: ignore[method-assign, assignment]
        cls.renamed = names  # type: ignore[attr-defined]
        for old in names:
            setattr(cls, old, read(old))
        return cls

    return wrap
