"""TCP_INFO: the fields of `struct tcp_info` (include/uapi/linux/tcp.h) that a sample keeps."""

import socket
import struct
from dataclasses import dataclass

# Eight one-byte fields, the sixth of them options, then u32 in order: rto ato snd_mss rcv_mss unacked sacked lost
# retrans fackets last_data_sent last_ack_sent last_data_recv last_ack_recv pmtu rcv_ssthresh rtt rttvar snd_ssthresh
# snd_cwnd advmss reordering rcv_rtt rcv_space total_retrans.
_LAYOUT = struct.Struct("5xB2x24I")
# TCPI_OPT_SYN_DATA: the SYN-ACK acknowledged data of the SYN.
_SYN_DATA = 0x20
_UNACKED, _LOST, _RTT, _CWND, _TOTAL_RETRANS = 4, 6, 15, 18, 23


@dataclass(frozen=True, slots=True, kw_only=True)
class TcpInfo:
    """`unacked` in segments, `lost` in segments now thought lost, `rtt_ns` smoothed, `cwnd` in segments.

    `syn_data`: the other side took data of this one's SYN. None without a socket.
    """

    retransmits: int | None = None
    lost: int | None = None
    rtt_ns: int | None = None
    cwnd: int | None = None
    unacked: int | None = None
    syn_data: bool | None = None


NO_TCP_INFO = TcpInfo()


def read_tcp_info(connection: socket.socket) -> TcpInfo:
    """Read TCP_INFO of an open TCP socket."""
    return unpack_tcp_info(connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _LAYOUT.size))


def unpack_tcp_info(raw: bytes) -> TcpInfo:
    """Read the beginning of a `struct tcp_info`."""
    options, *words = _LAYOUT.unpack(raw)
    return TcpInfo(
        retransmits=words[_TOTAL_RETRANS],
        lost=words[_LOST],
        rtt_ns=words[_RTT] * 1000,
        cwnd=words[_CWND],
        unacked=words[_UNACKED],
        syn_data=bool(options & _SYN_DATA),
    )
