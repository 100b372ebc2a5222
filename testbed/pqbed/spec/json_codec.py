"""Frozen values to JSON objects and back, by their annotations.

Covers what `spec/` uses: dataclasses, tuples, dicts, None, Literal, and unions of dataclasses told apart by
their `kind` field. Anything else is a programming error, and a value that does not fit is a `SpecError`.
"""

import dataclasses
import functools
import types
import typing
from collections.abc import Sequence
from typing import Any, Literal, TypeVar, Union, cast

from pqbed.errors import SpecError

T = TypeVar("T")
_PLAIN = frozenset({bool, int, float, str})


def to_json(value: Any) -> Any:
    """Return `value` as JSON types: dataclasses as objects, tuples as arrays."""
    if value is None or type(value) in _PLAIN:
        return value  # first, because most values are: every sample passes here
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {name: to_json(getattr(value, name)) for name in _hints(type(value))}
    if isinstance(value, dict):
        return {key: to_json(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [to_json(item) for item in value]
    return value


def from_json(kind: type[T], data: Any) -> T:
    """Build a `kind` from what `to_json` gave. Raises SpecError where `data` does not fit."""
    return cast("T", _build(kind, data))


@functools.cache
def _hints(cls: type) -> dict[str, Any]:
    return typing.get_type_hints(cls)


def _build(kind: Any, data: Any) -> Any:
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in (Union, types.UnionType):
        return _build_union(arguments, data)
    if origin in (tuple, Sequence):
        items = _expect(isinstance(data, list | tuple), kind, data)
        return tuple(_build(arguments[0], item) for item in items)
    if origin is dict:
        pairs = _expect(isinstance(data, dict), kind, data)
        return {key: _build(arguments[1], item) for key, item in pairs.items()}
    if dataclasses.is_dataclass(kind):
        return _build_dataclass(cast("type", kind), data)
    return _expect(_fits(kind, origin, arguments, data), kind, data)


def _fits(kind: Any, origin: Any, arguments: tuple[Any, ...], data: Any) -> bool:
    if origin is Literal:
        return data in arguments
    if kind is types.NoneType:
        return data is None
    return kind is Any or type(data) is kind


def _build_union(members: tuple[Any, ...], data: Any) -> Any:
    if data is None:
        return _expect(types.NoneType in members, members, data)
    others = [member for member in members if member is not types.NoneType]
    if len(others) == 1:
        return _build(others[0], data)
    tag = data.get("kind") if isinstance(data, dict) else None
    for member in others:
        if dataclasses.is_dataclass(member) and typing.get_args(_hints(cast("type", member))["kind"]) == (tag,):
            return _build(member, data)
    return _expect(False, members, data)


def _build_dataclass(kind: type, data: Any) -> Any:
    _expect(isinstance(data, dict), kind, data)
    hints = _hints(kind)
    unknown = sorted(set(data) - set(hints))
    if unknown:
        raise SpecError(f"{kind.__name__} has no field {unknown[0]!r}")
    try:
        return kind(**{name: _build(hints[name], item) for name, item in data.items()})
    except TypeError as error:
        raise SpecError(f"{kind.__name__} is incomplete: {error}") from error


def _expect(fits: bool, kind: Any, data: Any) -> Any:
    if not fits:
        raise SpecError(f"{data!r} is not a {getattr(kind, '__name__', kind)}")
    return data
