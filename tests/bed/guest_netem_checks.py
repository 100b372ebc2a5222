"""Checks of net/ against a kernel that has netem. Runs in a guest, as root; prints one JSON line a check.

Two namespaces joined by a veth pair; datagrams measure what the link does to each packet. In virtual time a delay
is exact to the few microseconds that system calls take.
"""

import json
import socket
import subprocess
import sys
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from pqbed.errors import HostError
from pqbed.net import sysctls
from pqbed.net.addresses import IFNAME
from pqbed.net.endpoint import ShapedInterface
from pqbed.net.link import create_link
from pqbed.net.namespace import open_socket
from pqbed.net.netem import HANDLES, RTM_NEWQDISC, TC_H_ROOT, QdiscMessage, netem_of
from pqbed.net.netem_support import check_netem
from pqbed.net.rtnetlink import NLM_F_REPLACE, RouteSocket
from pqbed.spec.link import GilbertElliott, RandomLoss
from pqbed.spec.shape import EndShape
from support.netem_model import Generator, burst_losses, delay_ns, random_losses

MS = 1_000_000
CLIENT, SERVER = "/var/run/netns/client", "/var/run/netns/server"
PORT = 9
SO_RCVBUFFORCE = 33  # not in Python's socket module
# Reading the clock and the two system calls take under 1 us in the guest.
TOLERANCE_NS = 2_000
PLAIN = EndShape(
    delay_ns=0,
    jitter_ns=0,
    distribution="uniform",
    loss=RandomLoss(),
    rate_bps=None,
    limit_packets=1000,
    seed=0x9E3779B97F4A7C15,
    segmentation="wire",
    mtu=1500,
    initcwnd=20,
    initrwnd=0,
    congestion_control="cubic",
)
BURSTS = GilbertElliott(enter_bad_ppm=100_000, leave_bad_ppm=300_000, loss_in_bad_ppm=800_000, loss_in_good_ppm=5_000)
SHAPES = {
    "delay": replace(PLAIN, delay_ns=17_500_001),
    "long delay": replace(PLAIN, delay_ns=5_000 * MS),
    "uniform jitter": replace(PLAIN, delay_ns=20 * MS, jitter_ns=MS),
    "normal jitter": replace(PLAIN, delay_ns=20 * MS, jitter_ns=MS, distribution="normal"),
    "pareto jitter": replace(PLAIN, delay_ns=20 * MS, jitter_ns=MS, distribution="pareto"),
    "paretonormal jitter": replace(PLAIN, delay_ns=20 * MS, jitter_ns=MS, distribution="paretonormal"),
    "random loss": replace(PLAIN, loss=RandomLoss(probability_ppm=12_345)),
    "certain loss": replace(PLAIN, loss=RandomLoss(probability_ppm=1_000_000)),
    "burst loss": replace(PLAIN, loss=BURSTS),
    "rate": replace(PLAIN, rate_bps=1_000_000),
    "rate beyond 32 bit": replace(PLAIN, rate_bps=100_000_000_000),
    "limit": replace(PLAIN, delay_ns=1, limit_packets=123_456),
    "seed": replace(PLAIN, delay_ns=1, seed=2**64 - 1),
    "windows": replace(PLAIN, initcwnd=33, initrwnd=44, congestion_control="bbr", mtu=1400),
    "offload-off": replace(PLAIN, segmentation="offload-off"),
    "host": replace(PLAIN, segmentation="host"),
    "everything": replace(
        PLAIN,
        delay_ns=100 * MS,
        jitter_ns=3 * MS,
        distribution="paretonormal",
        loss=BURSTS,
        rate_bps=8_000_000,
        limit_packets=4321,
        initrwnd=10,
    ),
}
CHECKS: list[Callable[["Lane"], Any]] = []


class Lane:
    """A veth pair with an ShapedInterface and a datagram socket on each side."""

    def __init__(self) -> None:
        for name in ("client", "server"):
            subprocess.run(["ip", "netns", "add", name], check=True)
        self.plan = create_link(3, CLIENT, SERVER)
        for namespace in (CLIENT, SERVER):
            sysctls.pin(namespace)
        self.client = ShapedInterface(CLIENT, IFNAME)
        self.server = ShapedInterface(SERVER, IFNAME)
        self.sender = open_socket(CLIENT, socket.AF_INET, socket.SOCK_DGRAM)
        self.receiver = open_socket(SERVER, socket.AF_INET, socket.SOCK_DGRAM)
        self.receiver.bind((self.plan.server.address, PORT))
        self.receiver.settimeout(0.5)

    def delays(self, packets: int, size: int = 100) -> list[int | None]:
        """Send numbered datagrams, each when the last has come or is lost; return their delays."""
        # The first packet right after shaping comes up to 0.6 ms late: work the kernel puts off to its next ticks.
        time.sleep(0.05)
        found: list[int | None] = []
        for number in range(packets):
            sent = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
            self.sender.sendto(number.to_bytes(4, "big").ljust(size, b"\0"), (self.plan.server.address, PORT))
            try:
                data = self.receiver.recv(2048)
            except TimeoutError:
                found.append(None)
                continue
            found.append(time.clock_gettime_ns(time.CLOCK_MONOTONIC) - sent)
            require(int.from_bytes(data[:4], "big") == number, "datagrams came out of order")
        return found


def check(function: Callable[[Lane], Any]) -> Callable[[Lane], Any]:
    CHECKS.append(function)
    return function


def require(true: bool, message: str) -> None:
    if not true:
        raise AssertionError(message)


def equal(got: Any, wanted: Any, what: str) -> None:
    require(got == wanted, f"{what}: {got} instead of {wanted}")


def near(got: list[int | None], wanted: list[int]) -> int:
    """Require every delay to be as predicted; return the largest difference in ns."""
    require(None not in got, "a datagram was lost")
    off = [mine - model for mine, model in zip(got, wanted, strict=True)]  # type: ignore[operator]
    worst = max(off, key=abs)
    require(min(off) >= 0 and worst < TOLERANCE_NS, f"delays differ by {min(off)} to {max(off)} ns")
    return worst


def tc(namespace: str = "client") -> dict[str, Any]:
    told = subprocess.run(
        ["ip", "netns", "exec", namespace, "tc", "-j", "qdisc", "show", "dev", IFNAME],
        check=True,
        capture_output=True,
    )
    found: dict[str, Any] = json.loads(told.stdout)[0]
    return found


def compare_with_tc(shape: EndShape) -> None:
    """Hold `shape` against what tc reads."""
    told = tc()
    wanted = netem_of(shape)
    if wanted is None:
        equal(told["kind"], "noqueue", "qdisc without netem")
        return
    options = told["options"]
    equal(told["handle"], f"{HANDLES[shape.distribution] >> 16:x}:", "handle")
    equal(options["limit"], shape.limit_packets, "limit")
    equal(options["seed"], shape.seed, "seed")
    delay = options.get("delay", {"delay": 0, "jitter": 0, "correlation": 0})
    # tc prints six digits.
    equal(delay["delay"], float(f"{shape.delay_ns / 1e9:.6g}"), "delay")
    equal(delay["jitter"], float(f"{shape.jitter_ns / 1e9:.6g}"), "jitter")
    equal(options.get("rate", {"rate": 0})["rate"], (shape.rate_bps or 0) // 8, "rate")
    match shape.loss:
        case RandomLoss(probability_ppm=ppm):
            equal("loss-gemodel" in options, False, "burst loss")
            equal(round(options.get("loss-random", {"loss": 0})["loss"] * 1e6), ppm, "loss")
        case GilbertElliott():
            equal("loss-random" in options, False, "random loss")
            model = options["loss-gemodel"]
            got = [round(model[name] * 1e6) for name in ("p", "r", "1-h", "1-k")]
            asked = shape.loss
            odds = [asked.enter_bad_ppm, asked.leave_bad_ppm, asked.loss_in_bad_ppm, asked.loss_in_good_ppm]
            equal(got, odds, "burst loss")
    extra = set(options) - {"limit", "seed", "delay", "rate", "loss-random", "loss-gemodel", "ecn", "gap"}
    equal(extra, set(), "what else tc sees")


def as_applied(shape: EndShape) -> EndShape:
    """Without netem nothing is held or drawn."""
    return shape if netem_of(shape) is not None else replace(shape, limit_packets=0, seed=0)


@check
def netem_is_supported(_: Lane) -> None:
    check_netem(IFNAME, CLIENT)
    equal(tc()["kind"], "noqueue", "qdisc after the probe")


@check
def sysctls_are_pinned(_: Lane) -> dict[str, str]:
    state = sysctls.read(CLIENT)
    equal({name: state[name] for name in sysctls.PINS}, sysctls.PINS, "pins")
    return state


@check
def every_shape_is_read_back_by_us_and_by_tc(lane: Lane) -> int:
    for name, shape in SHAPES.items():
        state = lane.client.shape(shape)
        equal(state.asked, shape, name)
        equal(state.applied, as_applied(shape), name)
        equal(lane.client.read().applied, as_applied(shape), f"{name}, read again")
        compare_with_tc(shape)
    return len(SHAPES)


@check
def every_shape_clears_every_other(lane: Lane) -> int:
    pairs = [(one, other) for one in SHAPES.values() for other in SHAPES.values() if one is not other]
    for one, other in pairs:
        lane.client.shape(one)
        lane.client.shape(other)
        equal(lane.client.read().applied, as_applied(other), f"after {one}")
    return len(pairs)


@check
def a_rate_does_not_survive(lane: Lane) -> int:
    lane.client.shape(SHAPES["rate"])
    # 958 + 42 bytes of headers at 1 Mbit/s.
    near(lane.delays(5, size=958), [8 * MS] * 5)
    lane.client.shape(SHAPES["delay"])
    return near(lane.delays(5, size=958), [17_500_001] * 5)


@check
def a_table_does_not_survive(lane: Lane) -> int:
    lane.client.shape(SHAPES["paretonormal jitter"])
    lane.client.shape(SHAPES["uniform jitter"])
    stream = Generator(PLAIN.seed)
    return near(lane.delays(200), [delay_ns(stream, 20 * MS, MS, "uniform") for _ in range(200)])


@check
def a_loss_model_does_not_survive(lane: Lane) -> int:
    lane.client.shape(SHAPES["burst loss"])
    shape = replace(PLAIN, loss=RandomLoss(probability_ppm=100_000))
    lane.client.shape(shape)
    odds = netem_of(shape).loss  # type: ignore[union-attr]
    lost = [delay is None for delay in lane.delays(300)]
    equal(lost, random_losses(Generator(PLAIN.seed), odds, 300), "losses")
    return sum(lost)


@check
def burst_losses_are_those_of_the_chain(lane: Lane) -> int:
    lane.client.shape(SHAPES["burst loss"])
    odds = netem_of(SHAPES["burst loss"]).burst_loss  # type: ignore[union-attr]
    lost = [delay is None for delay in lane.delays(300)]
    equal(lost, burst_losses(Generator(PLAIN.seed), odds, 300), "losses")  # type: ignore[arg-type]
    # Another seed, with the chain left wherever it was: it starts in the good state.
    lane.client.reseed(77 << 40)
    lost = [delay is None for delay in lane.delays(300)]
    equal(lost, burst_losses(Generator(77 << 40), odds, 300), "losses")  # type: ignore[arg-type]
    return sum(lost)


@check
def jitter_is_that_of_its_table(lane: Lane) -> dict[str, int]:
    worst = {}
    for name in ("normal", "pareto", "paretonormal"):
        lane.client.shape(SHAPES[f"{name} jitter"])
        stream = Generator(PLAIN.seed)
        model = [delay_ns(stream, 20 * MS, MS, name) for _ in range(2000)]
        got = lane.delays(2000)
        worst[name] = near(got, model)
        for part in (0.01, 0.1, 0.5, 0.9, 0.99):
            at = int(part * 2000)
            near([sorted(got)[at]], [sorted(model)[at]])  # type: ignore[type-var]
    return worst


@check
def a_seed_repeats_its_stream(lane: Lane) -> None:
    shape = replace(SHAPES["everything"], rate_bps=None)
    lane.client.shape(shape)
    first = [delay is None for delay in lane.delays(100)]
    lane.client.reseed(12345 << 33)
    other = [delay is None for delay in lane.delays(100)]
    state = lane.client.reseed(shape.seed)
    again = [delay is None for delay in lane.delays(100)]
    require(first != other, "another seed gave the same losses")
    equal(again, first, "losses of one seed")
    equal(state.applied, shape, "state after a seed")
    compare_with_tc(shape)


@check
def shape_of_another_seed_is_a_reseed(lane: Lane) -> None:
    shape = SHAPES["everything"]
    lane.client.shape(shape)
    other = replace(shape, seed=99 << 20)
    equal(lane.client.shape(other).applied, other, "applied")
    equal(lane.client.read().applied, other, "read")
    require(lane.client.shape(other).text.endswith(f"seed {other.seed}"), "text lacks the seed")


@check
def what_a_change_leaves_out(lane: Lane) -> dict[str, Any]:
    """Hold the kernel against what net/netem.py says of it: a message with nothing but a seed."""
    lane.client.shape(SHAPES["everything"])
    bare = QdiscMessage()
    kernel = RouteSocket(CLIENT)
    bare["index"] = lane.client._index
    bare["parent"] = TC_H_ROOT
    fixed = {"latency": 0, "limit": 50, "loss": 0, "gap": 0, "duplicate": 0, "jitter": 0}
    options = {**fixed, "attrs": [["TCA_NETEM_PRNG_SEED", 5]]}
    bare["attrs"] = [["TCA_KIND", "netem"], ["TCA_OPTIONS", options]]
    kernel.ask(bare, RTM_NEWQDISC, NLM_F_REPLACE)
    kernel.close()
    left = lane.client.read().applied
    equal(
        (left.delay_ns, left.jitter_ns, left.loss, left.limit_packets, left.seed, left.rate_bps),
        (0, 0, RandomLoss(), 50, 5, SHAPES["everything"].rate_bps),
        "delay, jitter, loss, limit, seed, rate",
    )
    # Our own message for another seed leaves out the table alone, which stays.
    shape = replace(SHAPES["everything"], loss=RandomLoss(), rate_bps=None)
    lane.client.shape(shape)
    lane.client.reseed(6)
    equal(lane.client.read().applied, replace(shape, seed=6), "after a seed")
    stream = Generator(6)
    worst = near(
        lane.delays(50), [delay_ns(stream, shape.delay_ns, shape.jitter_ns, "paretonormal") for _ in range(50)]
    )
    return {"stays": ["rate", "table"], "cleared": ["delay", "jitter", "loss model"], "worst_ns": worst}


@check
def quiet_drops_what_is_on_the_wire(lane: Lane) -> None:
    shape = SHAPES["everything"]
    lane.client.shape(shape)
    lane.client.quiet()
    equal(tc()["kind"], "noqueue", "qdisc when quiet")
    other = replace(shape, seed=7 << 30)
    equal(lane.client.shape(other).applied, other, "applied")
    equal(lane.client.read().applied, other, "read")
    compare_with_tc(other)
    lane.client.quiet()
    base = ["ip", "netns", "exec", "client", "tc", "qdisc"]
    subprocess.run([*base, "add", "dev", IFNAME, "root", "netem", "delay", "1ms"], check=True)
    fails(lambda: lane.client.reseed(6), "netem on eth0")
    lane.client.clear()


@check
def a_reading_after_a_seed_is_held_against_the_last(lane: Lane) -> None:
    lane.client.shape(SHAPES["delay"])
    root = lane.client._root
    read = root._options
    root._options = bytes([read[0] ^ 1]) + read[1:]
    fails(lambda: lane.client.reseed(6), "has changed unexpectedly")
    root._options = read
    lane.client.reseed(7)
    lane.client.clear()


@check
def a_qdisc_of_another_program_is_noticed(lane: Lane) -> None:
    lane.client.shape(SHAPES["delay"])
    base = ["ip", "netns", "exec", "client", "tc", "qdisc"]
    subprocess.run([*base, "del", "dev", IFNAME, "root"], check=True)
    fails(lambda: lane.client.reseed(6), "is gone")
    subprocess.run([*base, "add", "dev", IFNAME, "root", "netem", "delay", "1ms", "reorder", "25%"], check=True)
    require("reorder" in lane.client.read().text, "reordering is not told")
    with ShapedInterface(CLIENT, IFNAME) as fresh:
        equal(fresh.shape(SHAPES["everything"]).applied, SHAPES["everything"], "applied")
        compare_with_tc(SHAPES["everything"])
        fresh.clear()
    equal(tc()["kind"], "noqueue", "qdisc after clear")
    lane.client.clear()


@check
def what_the_kernel_refuses_is_told(lane: Lane) -> None:
    fails(lambda: lane.client.shape(replace(PLAIN, congestion_control="nonesuch")), "congestion control")
    fails(lambda: lane.client.shape(replace(PLAIN, delay_ns=1, jitter_ns=1 << 31)), "jitter_ns: asked 2147483648")
    fails(lambda: ShapedInterface(CLIENT, "nonesuch"), "no interface")
    fails(lambda: ShapedInterface("/var/run/netns/nonesuch", IFNAME), "no network namespace")


@check
def packets_on_the_wire_are_counted(lane: Lane) -> None:
    lane.client.shape(SHAPES["delay"])
    equal(lane.client.queued(), 0, "queued")
    for _ in range(3):
        lane.sender.sendto(b"x", (lane.plan.server.address, PORT))
    equal(lane.client.queued(), 3, "queued")
    for _ in range(3):
        lane.receiver.recv(10)
    equal(lane.client.queued(), 0, "queued")


@check
def wire_segmentation_puts_no_large_frame_on_the_wire(lane: Lane) -> dict[str, int]:
    largest = {}
    for segmentation in ("wire", "offload-off", "host"):
        for end in (lane.client, lane.server):
            end.shape(replace(PLAIN, delay_ns=5 * MS, segmentation=segmentation))  # type: ignore[arg-type]
        largest[segmentation] = largest_frame(lane)
    equal(largest["wire"], 1514, "largest frame")
    require(largest["host"] > 1514, "the capture would not have seen a large frame")
    return largest


def largest_frame(lane: Lane) -> int:
    """Send 300 kB from server to client and return the largest frame seen on the server's interface."""
    capture = open_socket(SERVER, socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    capture.bind((IFNAME, 3))
    capture.settimeout(0)
    capture.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 1 << 24)
    listener = open_socket(SERVER, socket.AF_INET, socket.SOCK_STREAM)
    listener.bind((lane.plan.server.address, 0))
    listener.listen()
    reader = open_socket(CLIENT, socket.AF_INET, socket.SOCK_STREAM)
    reader.connect(listener.getsockname())
    writer, _ = listener.accept()
    writer.setblocking(False)
    left, came, seen = 300_000, 0, 0
    while came < 300_000:
        with suppress(BlockingIOError):
            left -= writer.send(bytes(left)) if left else 0
        came += len(reader.recv(65536))
        seen = max(seen, drained(capture))
    for used in (capture, listener, reader, writer):
        used.close()
    return seen


def drained(capture: socket.socket) -> int:
    """Return the size of the largest frame waiting."""
    largest = 0
    while True:
        try:
            largest = max(largest, capture.recv_into(bytearray(1), 0, socket.MSG_TRUNC))
        except BlockingIOError:
            return largest


def fails(work: Callable[[], Any], words: str) -> None:
    try:
        work()
    except HostError as error:
        require(words in error.message, f"{error.message!r} does not say {words!r}")
        return
    raise AssertionError(f"no error that says {words!r}")


def tell(line: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


def main() -> None:
    tell({"check": "kernel", "ok": True, "detail": Path("/proc/version").read_text()})
    lane = Lane()
    chosen = [function for function in CHECKS if not sys.argv[1:] or function.__name__ in sys.argv[1:]]
    for function in chosen:
        line: dict[str, Any] = {"check": function.__name__, "ok": True}
        try:
            line["detail"] = function(lane)
        except Exception:  # noqa: BLE001 - whatever it is, it goes to the one who reads
            line |= {"ok": False, "detail": traceback.format_exc()}
        tell(line)


if __name__ == "__main__":
    main()
