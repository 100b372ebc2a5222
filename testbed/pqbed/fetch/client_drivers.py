"""Client drivers by the name in a stack's entry (`client` in its stack.toml).

Each is imported only when its stack fetches: an image has only what its own driver needs.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Protocol, runtime_checkable

from pqbed.errors import HostError
from pqbed.fetch.counting_relay import LOOPBACK, Relay
from pqbed.fetch.fetch_outcome import session_word_bytes
from pqbed.fetch.fetch_request import FetchRequest
from pqbed.spec.connection import TICKET_KINDS
from pqbed.spec.sample import Timings
from pqbed.spec.stacks import Stack
from pqbed.tls.client_credentials import Credentials
from pqbed.tls.group_names import canonical_group, group_codepoint
from pqbed.tls.run_program import DAMAGED_HINT
from pqbed.tls.stack_support import Probed, Support
from pqbed.tls.wire_sizes import WireSizes, read_early_wire_sizes, read_wire_sizes

# A response to early data is there before the client's last flight, which the relay is still to count.
_LAST_FLIGHT_S = 0.05


class Driver(Protocol):
    """Fetches with one client software."""

    def take_credentials(self, credentials: Sequence[Credentials]) -> None:
        """Keep the credentials that requests name."""
        ...

    def fetch(self, request: FetchRequest) -> Timings:
        """Do one fetch; a failure is a result."""
        ...

    def prime(self, request: FetchRequest) -> Timings:
        """Do the fetch that gets the ticket of the next one, `request`; a failure is a result."""
        ...

    def release(self) -> None:
        """Reset the connection of the last fetch."""
        ...

    def log_keys(self) -> None:
        """Keep the secrets of every connection from now on, until `take_keys`. Raises HostError if it cannot."""
        ...

    def take_keys(self) -> str:
        """Return the secrets in the NSS key log format, forget them, and stop logging."""
        ...

    def version(self) -> str:
        """Return the software's version line."""
        ...


@runtime_checkable
class SelfKnowing(Protocol):
    """A driver whose client is not the stack's library, and knows what it supports."""

    def support(self) -> Support:
        """Return the algorithms of the client."""
        ...


class DriverClient(Probed):
    """The client of one stack: its driver, and the algorithms that the stack supports."""

    side = "client"

    def __init__(self, stack: Stack) -> None:
        super().__init__(stack)
        self._driver = DRIVERS[stack.client](stack)
        self._served: dict[tuple[str, str], dict[str, Any]] = {}
        self.take_credentials = self._driver.take_credentials
        self.prime = self._driver.prime
        self.release = self._driver.release
        self.log_keys = self._driver.log_keys
        self.take_keys = self._driver.take_keys
        self.version = self._driver.version

    def support(self) -> Support:
        """Return the algorithms that this client supports: what its driver sees, or what the stack lists."""
        if self._support is None and isinstance(self._driver, SelfKnowing):
            self._support = self._driver.support()
        return super().support()

    def fetch(self, request: FetchRequest) -> Timings:
        """Do one fetch; a failure is a result."""
        timings = self._driver.fetch(request)
        if timings.group is None:
            return timings
        key = timings.group, timings.signature or ""
        if key not in self._served:
            self._served[key] = self._describe(request, *key)
        return replace(timings, **self._served[key])

    def learn_sizes(self, request: FetchRequest, header_bytes: int | None) -> WireSizes | None:
        """Do one fetch through a relay that counts its bytes; None if it fails. Closes the connection.

        `header_bytes` is the size of the header of a full connection's response.
        """
        kind, port = request.connection.kind, None
        if kind in TICKET_KINDS:
            # Tickets are kept by the port that gave them.
            with Relay(request.address, request.port) as first:
                port = first.port
                self._driver.prime(replace(request, address=LOOPBACK, port=port))
        with Relay(request.address, request.port, port) as relay:
            timings = self._driver.fetch(replace(request, address=LOOPBACK, port=relay.port))
            if kind == "early":
                time.sleep(_LAST_FLIGHT_S)
            self._driver.release()
        if timings.outcome != "ok":
            return None
        sent, received = bytes(relay.sent), bytes(relay.received)
        if kind in TICKET_KINDS and header_bytes is not None:
            header_bytes += session_word_bytes(kind)
        if kind == "early" and header_bytes is not None:
            return read_early_wire_sizes(sent, received, request.size_bytes, header_bytes)
        return read_wire_sizes(sent, received, relay.answered_at, request.size_bytes, header_bytes)

    def _describe(self, request: FetchRequest, group: str, scheme: str) -> dict[str, Any]:
        """Return the name of a group that may be known by its codepoint alone, and who serves it and the signature."""
        support = self.support()
        asked = request.group if group_codepoint(group) == request.group_id is not None else group
        return {
            "group": support.name_of(group) or canonical_group(asked),
            "client_provider": support.provider_of(group),
            "client_signature_provider": support.provider_of_scheme(scheme),
        }


def _curl(_stack: Stack) -> Driver:
    try:
        from pqbed.fetch.curl_client import CurlClient  # noqa: PLC0415
    except ImportError as error:
        raise HostError(f"pycurl cannot be loaded: {error}", DAMAGED_HINT) from error
    return CurlClient()


def _browser(stack: Stack) -> Driver:
    from pqbed.fetch.browser_client import BrowserClient  # noqa: PLC0415

    return BrowserClient(stack)


def _program(stack: Stack) -> Driver:
    from pqbed.fetch.program_client import ProgramClient  # noqa: PLC0415

    return ProgramClient(stack)


DRIVERS: Mapping[str, Callable[[Stack], Driver]] = MappingProxyType(
    {"curl": _curl, "browser": _browser, "program": _program}
)
