"""Who may ask: this host alone, with the token in the address, and for changes only from a page of ours."""

import secrets
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse

from pqbed_cli.serve.pages import POLICY

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

SAFE = ("GET", "HEAD")
HEADERS = {
    "content-security-policy": f"{POLICY}; frame-ancestors 'none'",
    "referrer-policy": "same-origin",  # with none, a browser keeps the origin of its own forms back too
    "x-content-type-options": "nosniff",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
}


class Guard:
    """Lets through what has the token and is asked for by an address of this host, and adds the headers."""

    def __init__(self, app: App, token: str, hosts: frozenset[str]) -> None:
        self._app, self._token, self._hosts = app, token, hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            raise RuntimeError(f"there is no {scope['type']} here")

        async def add_headers(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                headers.setdefault("cache-control", "no-store")
            await send(message)

        if refusal := self._refusal(scope):
            status, words = refusal
            await PlainTextResponse(words, status_code=status)(scope, receive, add_headers)
        else:
            await self._app(scope, receive, add_headers)

    def _refusal(self, scope: Scope) -> tuple[int, str] | None:
        headers = Headers(scope=scope)
        if headers.get("host", "") not in self._hosts:  # a name that was made to lead here
            return 421, "this server answers to its own address only\n"
        token = str(scope["path"]).split("/")[1].encode()
        if not secrets.compare_digest(token, self._token.encode()):
            return 404, "open the whole address that pqbed serve printed\n"
        if scope["method"] not in SAFE and headers.get("origin") not in {f"http://{host}" for host in self._hosts}:
            return 403, "changes are made from a page of this server only\n"
        return None
