"""rtnetlink socket for pyroute2's message classes.

pyroute2's IPRoute needs a fork to enter a namespace and 0.2 to 0.6 ms per call. Links are shaped between any two
fetches, so they use this socket (0.04 ms) and pyroute2 only for the encoding.
"""

import errno
import itertools
import os
import socket
import struct
import sys
from typing import Any

from pqbed.net.run_in_namespace import open_socket

NLMSG_ERROR = 2
NLMSG_DONE = 3
NLM_F_REQUEST = 0x001
NLM_F_ACK = 0x004
NLM_F_ECHO = 0x008
NLM_F_DUMP = 0x300
NLM_F_REPLACE = 0x100
NLM_F_EXCL = 0x200
NLM_F_CREATE = 0x400
NLM_F_ACK_TLVS = 0x200

HEADER = struct.Struct("=IHHII")
ATTRIBUTE = struct.Struct("=HH")
SOL_NETLINK = 270
NETLINK_CAP_ACK = 10
NETLINK_EXT_ACK = 11
NLMSGERR_ATTR_MSG = 1
RECEIVE_BYTES = 1 << 18


class RefusalError(Exception):
    """The kernel refused a message: its errno, and its own message if it sent one."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason or os.strerror(code))
        self.code = code
        self.reason = reason or os.strerror(code)


class RouteSocket:
    """Ask the kernel of one namespace. Not safe for use by two threads at once."""

    def __init__(self, netns: str | None) -> None:
        self._socket = open_socket(netns, socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, 0)
        self._socket.setsockopt(SOL_NETLINK, NETLINK_EXT_ACK, 1)
        self._socket.setsockopt(SOL_NETLINK, NETLINK_CAP_ACK, 1)
        self._socket.bind((0, 0))
        self._sequence = itertools.count(1)

    def ask(self, message: Any, kind: int, flags: int = 0) -> list[bytes]:
        """Send a pyroute2 message; return the messages that came in answer, headers and all."""
        return self.ask_bytes(encode(message, kind, flags))

    def ask_bytes(self, data: bytearray) -> list[bytes]:
        """Send a whole encoded message (its sequence number is set here). Raises RefusalError."""
        sequence = next(self._sequence) & 0xFFFFFFFF
        struct.pack_into("=I", data, 8, sequence)
        dump = struct.unpack_from("=H", data, 6)[0] & NLM_F_DUMP == NLM_F_DUMP and not _is_change(data)
        self._socket.send(data)
        answers: list[bytes] = []
        while not self._collect(self._socket.recv(RECEIVE_BYTES), sequence, answers, dump=dump):
            pass
        return answers

    def close(self) -> None:
        self._socket.close()

    @staticmethod
    def _collect(data: bytes, sequence: int, answers: list[bytes], *, dump: bool) -> bool:
        """Sort one datagram's messages into `answers`; return whether the exchange is over."""
        offset = 0
        while offset + HEADER.size <= len(data):
            length, kind, flags, number, _ = HEADER.unpack_from(data, offset)
            message = data[offset : offset + length]
            offset += (length + 3) & ~3
            if number != sequence:
                continue
            if kind == NLMSG_DONE:
                return True
            if kind == NLMSG_ERROR:
                _raise_refusal(message, flags)
                return not dump
            answers.append(message)
        return False


def encode(message: Any, kind: int, flags: int) -> bytearray:
    """Return the bytes of a pyroute2 message, with its header."""
    message["header"]["type"] = kind
    message["header"]["flags"] = flags | NLM_F_REQUEST | NLM_F_ACK
    message.encode()
    return bytearray(message.data)


def attributes(data: bytes, offset: int) -> dict[int, bytes]:
    """Return the attributes that start at `offset`, by type without its flag bits."""
    values = {}
    while offset + ATTRIBUTE.size <= len(data):
        length, kind = ATTRIBUTE.unpack_from(data, offset)
        if length < ATTRIBUTE.size:
            break
        values[kind & 0x3FFF] = data[offset + ATTRIBUTE.size : offset + length]
        offset += (length + 3) & ~3
    return values


def _is_change(data: bytes | bytearray) -> bool:
    """NLM_F_DUMP shares its bits with REPLACE and EXCL; a GET message's type is 2 modulo 4."""
    return int.from_bytes(data[4:6], sys.byteorder) % 4 != 2


def _raise_refusal(message: bytes, flags: int) -> None:
    code = -struct.unpack_from("=i", message, HEADER.size)[0]
    if code == 0:
        return
    reason = ""
    if flags & NLM_F_ACK_TLVS:
        # With CAP_ACK the error holds only the header of what it answers.
        words = attributes(message, HEADER.size + 4 + HEADER.size).get(NLMSGERR_ATTR_MSG, b"")
        reason = words.rstrip(b"\0").decode(errors="replace")
    raise RefusalError(code or errno.EIO, reason)
