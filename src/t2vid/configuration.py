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
from functools import wraps
from typing import Any, ClassVar, Self, TypeVar

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
        import yaml

        try:
            value = yaml.safe_load(text)
        except yaml.YAMLError as error:
            raise InputError(f"the {cls.__name__} {text!r:.80} is no YAML ({error})") from None
        return cls.from_dict(value)

    @property
    def hash(self) -> str:
        """Sixteen hexadecimal digits that change with any field."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()[:16]


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
