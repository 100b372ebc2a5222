"""Root qdisc of an interface: set netem, reseed, read and remove it."""

import errno
import struct
from dataclasses import dataclass, replace

from pqbed.errors import HostError
from pqbed.net.netem import Netem, QdiscMessage, decode, message
from pqbed.net.netem_refusals import refusal_to_shape
from pqbed.net.rtnetlink import (
    NLM_F_CREATE,
    NLM_F_DUMP,
    NLM_F_ECHO,
    NLM_F_EXCL,
    NLM_F_REPLACE,
    RefusalError,
    RouteSocket,
    attributes,
    encode,
)
from pqbed.net.tc_messages import (
    DROPS_AT,
    RTM_DELQDISC,
    RTM_GETQDISC,
    RTM_NEWQDISC,
    TC_H_ROOT,
    TCA_KIND,
    TCA_OPTIONS,
    TCA_STATS2,
    TCA_STATS_QUEUE,
    tc_attributes,
    tc_fields,
    u32_at,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RootQdisc:
    """`netem` is None for any other kind; `queued` counts the packets in it, on the wire as netem has it.

    `queued_bytes` is what they have together, with their Ethernet headers.
    """

    kind: str
    handle: int
    queued: int
    queued_bytes: int
    netem: Netem | None
    options: bytes


class RootQdiscControl:
    """The root qdisc of interface `index`, through `kernel`, which others may share."""

    def __init__(self, kernel: RouteSocket, ifname: str, index: int) -> None:
        self._kernel = kernel
        self._ifname = ifname
        self._index = index
        self._changed: bytearray | None = None
        self._made: bytearray | None = None
        self._quiet = False
        self._options = b""
        self._netem: Netem | None = None
        self._removal = _encode_removal(index, 0)
        self._removal_echoed = _encode_removal(index, NLM_F_ECHO)

    def put(self, wanted: Netem) -> RootQdisc:
        """Set all of `wanted` and return the kernel's echo of it."""
        applied = self._read_change(self._encode(wanted, NLM_F_CREATE | NLM_F_REPLACE))
        # Later messages may only change an existing netem, or create one after `quiet` has removed it.
        self._changed = self._encode(wanted, NLM_F_REPLACE)
        self._made = self._encode(wanted, NLM_F_CREATE | NLM_F_EXCL)
        self._quiet = False
        self._options, self._netem = applied.options, applied.netem
        return applied

    def reseed(self, seed: int) -> None:
        """Restart netem's generator: one message. Its answer must equal the last one except for the seed.

        After `quiet` the same message restores everything.
        """
        again = self._made if self._quiet else self._changed
        if self._netem is None or again is None:
            raise HostError(f"{self._ifname} has no netem to give a seed to")
        _put_seed(again, seed)
        answer = self._change(again)
        self._quiet = False
        expected = bytearray(self._options)
        _put_seed(expected, seed)
        # Compared as bytes: this happens between any two fetches, and decoding costs a third of a fetch.
        applied = self.read().options if answer is None else tc_attributes(answer).get(TCA_OPTIONS)
        if applied != bytes(expected):
            raise HostError(
                f"netem on {self._ifname} has changed unexpectedly: {self.read().netem} instead of "
                f"{replace(self._netem, seed=seed)}",
                hint="another program is setting this interface",
            )

    def quiet(self) -> None:
        """Remove netem with all packets in it, until `reseed` restores it."""
        if self._netem is not None and not self._quiet:
            self._delete(self._removal)
            self._quiet = True

    def drain(self) -> int:
        """Do the same, and return how many packets it had dropped: the kernel echoes what it removes."""
        if self._netem is None or self._quiet:
            return 0
        answers = self._delete(self._removal_echoed)
        self._quiet = True
        return sum(_drops(answer) for answer in answers if struct.unpack_from("=H", answer, 4)[0] == RTM_DELQDISC)

    def read(self) -> RootQdisc:
        asked = QdiscMessage()
        asked["index"] = self._index
        for data in self._kernel.ask(asked, RTM_GETQDISC, NLM_F_DUMP):
            index, _, parent, _ = tc_fields(data)
            if (index, parent) == (self._index, TC_H_ROOT):
                return _read(data)
        raise HostError(f"{self._ifname} has no root qdisc", hint="is the interface up?")

    def remove(self) -> None:
        """Leave the interface with the kernel's own qdisc. Does nothing if it has that already."""
        self._changed = self._made = self._netem = None
        self._delete(self._removal)

    def _encode(self, wanted: Netem, flags: int) -> bytearray:
        return encode(message(self._index, wanted), RTM_NEWQDISC, flags | NLM_F_ECHO)

    def _delete(self, removal: bytearray) -> list[bytes]:
        try:
            return self._kernel.ask_bytes(removal)
        except RefusalError as refusal:
            # "Cannot delete qdisc with handle of zero": there is none but the kernel's own.
            if refusal.code not in (errno.ENOENT, errno.EINVAL):
                raise refusal_to_shape(refusal, self._ifname) from None
            return []

    def _read_change(self, data: bytearray) -> RootQdisc:
        answer = self._change(data)
        return self.read() if answer is None else _read(answer)

    def _change(self, data: bytearray) -> bytes | None:
        """Send a change and return the kernel's echo of the result; None without an echo."""
        try:
            answers = self._kernel.ask_bytes(data)
        except RefusalError as refusal:
            raise refusal_to_shape(refusal, self._ifname) from None
        # A graft over another qdisc is echoed as two messages: the old one deleted, the new one created.
        created = [answer for answer in answers if struct.unpack_from("=H", answer, 4)[0] == RTM_NEWQDISC]
        return created[-1] if created else None


def _read(data: bytes) -> RootQdisc:
    _, handle, _, _ = tc_fields(data)
    values = tc_attributes(data)
    kind = values[TCA_KIND].rstrip(b"\0").decode()
    queue = attributes(values.get(TCA_STATS2, b""), 0).get(TCA_STATS_QUEUE, b"")
    return RootQdisc(
        kind=kind,
        handle=handle,
        queued=u32_at(queue, 0),
        queued_bytes=u32_at(queue, 4),
        netem=decode(data) if kind == "netem" else None,
        options=values.get(TCA_OPTIONS, b""),
    )


def _drops(data: bytes) -> int:
    statistics = attributes(tc_attributes(data).get(TCA_STATS2, b""), 0)
    return u32_at(statistics.get(TCA_STATS_QUEUE, b""), DROPS_AT)


def _encode_removal(index: int, flags: int) -> bytearray:
    gone = QdiscMessage()
    gone["index"] = index
    gone["parent"] = TC_H_ROOT
    return encode(gone, RTM_DELQDISC, flags)


def _put_seed(data: bytearray, seed: int) -> None:
    """Both our message and the kernel's dump of netem end with the seed."""
    struct.pack_into("=Q", data, len(data) - 8, seed)
