"""Proxies: objects with the methods of an interface, each of which calls an agent over RPC."""

from collections.abc import Callable, Iterator
from typing import Any, TypeVar, cast

from pqbed.agent.rpc_client import RpcClient
from pqbed.agent.rpc_methods import RemoteMethod, decode_pieces, remote_methods

T = TypeVar("T")


class _Proxy:
    def __init__(self, rpc: RpcClient) -> None:
        self._rpc = rpc


def proxy(interface: type[T], rpc: RpcClient) -> T:
    """Return an `interface` whose methods are carried out by the agent at the other end of `rpc`.

    Every method may raise LaneError when the agent is gone, and any PqbedError that the agent raised.
    """
    return cast("T", _proxy_class(interface)(rpc))


def _proxy_class(interface: type) -> type[_Proxy]:
    methods = {name: _calling(method) for name, method in remote_methods(interface).items()}
    return type(f"Remote{interface.__name__}", (_Proxy,), methods)


def _calling(method: RemoteMethod) -> Callable[..., Any]:
    """Return the function that calls `method` on the agent of its first argument, a proxy."""

    def value(self: _Proxy, *arguments: Any, **keywords: Any) -> Any:
        return method.decode_result(self._rpc.call(method.call, method.encode_arguments(arguments, keywords)))

    def concealed(self: _Proxy, *arguments: Any, **keywords: Any) -> Any:
        with self._rpc.concealing(method.name):
            return value(self, *arguments, **keywords)

    def items(self: _Proxy, *arguments: Any, **keywords: Any) -> Iterator[Any]:
        return map(method.decode_result, self._rpc.stream(method.call, method.encode_arguments(arguments, keywords)))

    def pieces(self: _Proxy, *arguments: Any, **keywords: Any) -> bytes:
        return decode_pieces(items(self, *arguments, **keywords))

    if method.secret:
        if method.kind != "value":
            raise TypeError(f"{method.call}: secrets are sent as one value")
        return concealed
    return {"value": value, "items": items, "bytes": pieces}[method.kind]
