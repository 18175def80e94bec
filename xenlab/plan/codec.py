"""Frozen dataclasses to plain JSON values and back, by their annotations, with nothing guessed."""

from __future__ import annotations

import dataclasses
import types
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypeVar, Union, get_args, get_origin, get_type_hints

from xenlab.topology.wording import quote

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

# For a field that came later than its schema: while it holds its default it is not written, so that
# plans without it are the same text as before, and so are the keys of their checkpoints.
CAME_LATER = {"came later": True}

Decoded = TypeVar("Decoded", bound="DataclassInstance")


class Undecodable(Exception):
    """A value does not have the type that stands in the dataclass; the text says where."""


def encode(instance: DataclassInstance) -> dict[str, Any]:
    """The instance as mappings, lists and scalars."""
    return {
        field.name: _encode(getattr(instance, field.name))
        for field in dataclasses.fields(instance)
        if not (_came_later(field) and getattr(instance, field.name) == field.default)
    }


def _encode(value: object) -> object:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return encode(value)
    return [_encode(item) for item in value] if isinstance(value, tuple) else value


def _came_later(field: dataclasses.Field[object]) -> bool:
    return bool(field.metadata)


def decode(kind: type[Decoded], value: object, where: str = "plan") -> Decoded:
    """An instance of the dataclass `kind`. Raises Undecodable for a missing or unknown field."""
    if not isinstance(value, dict):
        raise Undecodable(f"{where}: {quote(type(value).__name__)} instead of a mapping")
    hints = get_type_hints(kind)
    optional = {field.name for field in dataclasses.fields(kind) if _came_later(field)}
    differing = (value.keys() ^ hints.keys()) - (optional - value.keys())
    if differing:
        shown = ", ".join(sorted(map(str, differing)))
        raise Undecodable(f"{where}: missing or unknown: {quote(shown)}")
    return kind(
        **{
            name: _decode(hint, value[name], f"{where}.{name}")
            for name, hint in hints.items()
            if name in value
        }
    )


def _decode(hint: Any, value: object, where: str) -> object:  # noqa: ANN401 - any annotation
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is tuple:
        return _decode_tuple(arguments, value, where)
    if origin in (Union, types.UnionType):
        inner = next(argument for argument in arguments if argument is not type(None))
        return None if value is None else _decode(inner, value, where)
    if dataclasses.is_dataclass(hint):
        return decode(hint, value, where)  # type: ignore[arg-type]
    if issubclass(hint, StrEnum):
        if value not in list(hint):
            raise Undecodable(f"{where}: {quote(value)} is unknown")
        return hint(value)
    if type(value) is not hint:
        raise Undecodable(f"{where}: {quote(value)} is not {hint.__name__}")
    return value


def _decode_tuple(hints: tuple[Any, ...], value: object, where: str) -> tuple[object, ...]:
    if not isinstance(value, list):
        raise Undecodable(f"{where}: {quote(type(value).__name__)} instead of a list")
    each = [hints[0]] * len(value) if hints[-1] is Ellipsis else list(hints)
    if len(each) != len(value):
        raise Undecodable(f"{where}: {len(value)} values instead of {len(each)}")
    return tuple(
        _decode(hint, item, f"{where}[{index}]")
        for index, (hint, item) in enumerate(zip(each, value, strict=True))
    )
