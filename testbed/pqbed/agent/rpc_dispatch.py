"""Dispatch of remote calls: from `Interface.method` and JSON parameters to the method of an object."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from pqbed.agent.rpc_methods import RemoteMethod, remote_methods

T = TypeVar("T")
# From parameters as JSON to a result as JSON, or to an iterator of such items.
Call = Callable[[Mapping[str, Any]], Any]
Calls = dict[str, Call]


def dispatch(interface: type[T]) -> Callable[[T], Calls]:
    """Return a function that maps the calls of `interface` to the methods of an object that implements it.

    In two steps, so that a type checker holds the object against the interface.
    """

    def calls_of(implementation: T) -> Calls:
        methods = remote_methods(interface)
        return {method.call: _performing(method, getattr(implementation, name)) for name, method in methods.items()}

    return calls_of


def _performing(method: RemoteMethod, function: Callable[..., Any]) -> Call:
    def perform(parameters: Mapping[str, Any]) -> Any:
        return method.encode_result(function(**method.decode_arguments(parameters)))

    return perform
