"""Remote methods, derived from an interface: its Protocol class is the only place that spells them.

A method is called on the wire as `Interface.method`. Parameters and results have the types of its annotations and are
written by `spec/json_codec.py`; a result of type `Iterator[X]` is sent item by item, and `bytes` as pieces of base64.
"""

import base64
import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

from pqbed.errors import LaneError, SpecError
from pqbed.spec.json_codec import from_json, to_json

Method = TypeVar("Method", bound=Callable[..., Any])
Kind = Literal["value", "items", "bytes"]

# Of `bytes`; a multiple of 3, so that no piece but the last needs padding.
PIECE_BYTES = 48_000
SKEW_HINT = "pqbed and its agent are not of the same version: run `pqbed build`"
_MARK = "__holds_keys__"


def secret(method: Method) -> Method:
    """Mark a method of an interface whose parameters or result hold keys: no error may quote them."""
    setattr(method, _MARK, True)
    return method


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteMethod:
    """One method of an interface. `result` is the type of the value, or of each item."""

    name: str
    call: str
    signature: inspect.Signature
    parameters: Mapping[str, Any]
    result: Any
    kind: Kind
    secret: bool

    def encode_arguments(self, arguments: tuple[Any, ...], keywords: Mapping[str, Any]) -> dict[str, Any]:
        """Return the arguments of a call by name, as JSON. Raises TypeError like the call itself would."""
        bound = self.signature.bind(*arguments, **keywords)
        return {name: to_json(value) for name, value in bound.arguments.items()}

    def decode_arguments(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return the arguments of a call. Raises LaneError if they do not fit."""
        for name in values:
            if name not in self.parameters:
                raise LaneError(f"{self.call} has no parameter {name!r}", SKEW_HINT)
        arguments = {name: self._decode(self.parameters[name], value) for name, value in values.items()}
        try:
            self.signature.bind(**arguments)
        except TypeError as error:
            raise LaneError(f"{self.call} cannot be called: {error}", SKEW_HINT) from None
        return arguments

    def decode_result(self, value: Any) -> Any:
        """Return a result, or one item of it. Raises LaneError if it does not fit."""
        return self._decode(self.result, value)

    def encode_result(self, result: Any) -> Any:
        """Return a result as JSON, an iterator of JSON for items."""
        if self.kind == "bytes":
            return encode_pieces(result)
        return map(to_json, result) if self.kind == "items" else to_json(result)

    def _decode(self, kind: Any, value: Any) -> Any:
        try:
            return from_json(kind, value)
        except SpecError as error:
            raise LaneError(f"{self.call} does not fit: {error.message}", SKEW_HINT) from error


def remote_methods(interface: type) -> Mapping[str, RemoteMethod]:
    """Return the public methods of `interface` and of the interfaces it extends, by name."""
    functions = inspect.getmembers(interface, inspect.isfunction)
    return {name: _remote_method(interface, name, function) for name, function in functions if name[0] != "_"}


def _remote_method(interface: type, name: str, function: Callable[..., Any]) -> RemoteMethod:
    parameters = get_type_hints(function)
    result = parameters.pop("return")
    kind: Kind = "value"
    if get_origin(result) is Iterator:
        kind, (result,) = "items", get_args(result)
    elif result is bytes:
        kind, result = "bytes", str
    signature = inspect.signature(function)
    own = [parameter for parameter in signature.parameters.values() if parameter.name != "self"]
    return RemoteMethod(
        name=name,
        call=f"{interface.__name__}.{name}",
        signature=signature.replace(parameters=own),
        parameters=parameters,
        result=result,
        kind=kind,
        secret=getattr(function, _MARK, False),
    )


def encode_pieces(content: bytes) -> Iterator[str]:
    """Yield `content` as base64, in pieces short enough for one line each."""
    for start in range(0, len(content), PIECE_BYTES):
        yield base64.b64encode(content[start : start + PIECE_BYTES]).decode()


def decode_pieces(pieces: Iterable[str]) -> bytes:
    """Return what `encode_pieces` took apart."""
    return b"".join(map(base64.b64decode, pieces))
