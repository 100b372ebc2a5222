"""Checks of what the link does to packets: each delay, each loss, each frame."""

from dataclasses import replace

from pqbed.net.netem import netem_of
from pqbed.spec.link import RandomLoss
from support.netem_checks.check import equal, near, require
from support.netem_checks.lane import PORT, Lane, largest_frame
from support.netem_checks.shapes import PLAIN, SHAPES
from support.netem_checks.tc import compare_with_tc
from support.netem_model import Generator, burst_losses, delay_ns, random_losses
from support.units import MS


def a_rate_does_not_survive(lane: Lane) -> int:
    lane.client.shape(SHAPES["rate"])
    # 958 + 42 bytes of headers at 1 Mbit/s.
    near(lane.delays(5, size=958), [8 * MS] * 5)
    lane.client.shape(SHAPES["delay"])
    return near(lane.delays(5, size=958), [17_500_001] * 5)


def a_table_does_not_survive(lane: Lane) -> int:
    lane.client.shape(SHAPES["paretonormal jitter"])
    lane.client.shape(SHAPES["uniform jitter"])
    stream = Generator(PLAIN.seed)
    return near(lane.delays(200), [delay_ns(stream, 20 * MS, MS, "uniform") for _ in range(200)])


def a_loss_model_does_not_survive(lane: Lane) -> int:
    lane.client.shape(SHAPES["burst loss"])
    shape = replace(PLAIN, loss=RandomLoss(probability_ppm=100_000))
    lane.client.shape(shape)
    odds = netem_of(shape).loss
    lost = [delay is None for delay in lane.delays(300)]
    equal(lost, random_losses(Generator(PLAIN.seed), odds, 300), "losses")
    return sum(lost)


def burst_losses_are_those_of_the_chain(lane: Lane) -> int:
    lane.client.shape(SHAPES["burst loss"])
    odds = netem_of(SHAPES["burst loss"]).burst_loss
    lost = [delay is None for delay in lane.delays(300)]
    equal(lost, burst_losses(Generator(PLAIN.seed), odds, 300), "losses")  # type: ignore[arg-type]
    # Another seed, with the chain left wherever it was: it starts in the good state.
    lane.client.reseed(77 << 40)
    lost = [delay is None for delay in lane.delays(300)]
    equal(lost, burst_losses(Generator(77 << 40), odds, 300), "losses")  # type: ignore[arg-type]
    return sum(lost)


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


def packets_on_the_wire_are_counted(lane: Lane) -> None:
    lane.client.shape(SHAPES["delay"])
    equal(lane.client.queued(), 0, "queued")
    for _ in range(3):
        lane.sender.sendto(b"x", (lane.plan.server.address, PORT))
    equal(lane.client.queued(), 3, "queued")
    for _ in range(3):
        lane.receiver.recv(10)
    equal(lane.client.queued(), 0, "queued")


def wire_segmentation_puts_no_large_frame_on_the_wire(lane: Lane) -> dict[str, int]:
    largest = {}
    for segmentation in ("wire", "offload-off", "host"):
        for end in (lane.client, lane.server):
            end.shape(replace(PLAIN, delay_ns=5 * MS, segmentation=segmentation))
        largest[segmentation] = largest_frame(lane)
    equal(largest["wire"], 1514, "largest frame")
    require(largest["host"] > 1514, "the capture would not have seen a large frame")
    return largest


CHECKS = (
    a_rate_does_not_survive,
    a_table_does_not_survive,
    a_loss_model_does_not_survive,
    burst_losses_are_those_of_the_chain,
    jitter_is_that_of_its_table,
    a_seed_repeats_its_stream,
    packets_on_the_wire_are_counted,
    wire_segmentation_puts_no_large_frame_on_the_wire,
)
