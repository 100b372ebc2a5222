"""Acknowledgements at a sender: RTT, growth of the window, end of a probe (tcp_ack in net/ipv4/tcp_input.c)."""

from pqbed.model.simulate.jiffies import stamp_ms
from pqbed.model.simulate.recovery import (
    Ack,
    Next,
    advance_state,
    begin_reduction,
    end_reduction,
    keep_open,
    reduce_window,
    repeat_lost,
)
from pqbed.model.simulate.segment import SimSegment
from pqbed.model.simulate.sender import SimSender

# The pacing rate is this many per cent of a window per RTT, in slow start and beyond it.
PACING_PERCENT, PACING_PERCENT_LATER = 200, 120


def note_ack(sender: SimSender, now_ns: int, segment: SimSegment) -> None:
    """Take in what `segment` acknowledges. New data is not yet sent (`SimSender.release`)."""
    if segment.acknowledged < sender.acknowledged:
        return
    had_flight = bool(sender.queue)
    ack = _take_in(sender, segment)
    lost_before = sender.queue.lost
    if had_flight:
        _clean(sender, now_ns, segment, ack)
    if sender.probe_end and segment.acknowledged >= sender.probe_end:
        _end_probe(sender, segment.acknowledged, ack)
    following: Next = ""
    if ack.duplicate or (had_flight and (not ack.informs or sender.state != "open")):
        following = advance_state(sender, now_ns, segment, ack)
    if had_flight:
        if ack.set_timer and not (sender.queue and sender.schedule_probe(now_ns, advancing=True)):
            sender.rearm(now_ns)
        ack.newly_lost = max(0, sender.queue.lost - lost_before)
        _control(sender, now_ns, ack)
        _send_following(sender, now_ns, following)


def _take_in(sender: SimSender, segment: SimSegment) -> Ack:
    prior = sender.acknowledged
    updates = (segment.acknowledged, segment.number, segment.limit) > (prior, sender.window_number, sender.limit)
    ack = Ack(advanced=segment.acknowledged > prior, informs=updates or segment.size_bytes > 0)
    if updates:
        sender.window_number = segment.number
    if ack.advanced:
        sender.timeouts = 0
    sender.acknowledged = segment.acknowledged
    sender.limit = max(sender.limit, segment.limit)
    sender.buffer.largest_window = max(sender.buffer.largest_window, segment.limit - segment.acknowledged)
    if segment.duplicate is not None:
        _note_duplicate(sender, ack, segment.duplicate, prior)
    return ack


def _note_duplicate(sender: SimSender, ack: Ack, duplicate: tuple[int, int], prior: int) -> None:
    start, end = duplicate
    count = max(1, -(-(end - start) // sender.mss))
    ack.probe_duplicate = end - start <= sender.mss and sender.probe_end == end
    ack.duplicate = True
    ack.delivered += count
    if sender.undo_from is not None and sender.undo_repeats > 0 and sender.undo_from < end <= prior:
        sender.undo_repeats = max(0, sender.undo_repeats - count)


def _clean(sender: SimSender, now_ns: int, segment: SimSegment, ack: Ack) -> None:
    """Take acknowledged segments off the queue, and measure the RTT."""
    now_us = now_ns // 1000
    removed = sender.queue.take_acknowledged(segment.acknowledged)
    if not removed:
        return
    originals = [each for each in removed if not each.repeated]
    ack.original = any(each.end <= sender.high_byte for each in originals)
    ack.delivered += len(removed)
    ack.set_timer = True
    for each in removed:
        sender.buffer.free(each.end - each.number)
        if not (each.repeated and segment.echo_ms < stamp_ms(each.sent_ns)):
            sender.queue.advance(now_us, each, sender.rtt.shortest)
    if len(originals) == len(removed):
        rtt_us = now_us - originals[0].sent_ns // 1000
        last_us = now_us - originals[-1].sent_ns // 1000
    else:
        rtt_us = last_us = max(1, stamp_ms(now_ns) - segment.echo_ms) * 1000
    sender.rtt.update(rtt_us, last_us, sender.acknowledged, sender.next_byte)
    sender.cubic.note_ack(
        now_ns,
        last_us,
        acknowledged=sender.acknowledged,
        next_byte=sender.next_byte,
        rate=sender.pacing_rate,
    )


def _end_probe(sender: SimSender, acknowledged: int, ack: Ack) -> None:
    """Judge a tail loss probe by its acknowledgement (tcp_process_tlp_ack)."""
    if not sender.probe_repeats or ack.probe_duplicate:
        sender.probe_end = 0
    elif acknowledged > sender.probe_end:
        begin_reduction(sender)
        sender.state = "reduced"
        end_reduction(sender)
        keep_open(sender)
    elif not ack.advanced and not ack.informs:
        sender.probe_end = 0


def _control(sender: SimSender, now_ns: int, ack: Ack) -> None:
    """Let the window grow or shrink, and set the pacing rate."""
    cubic = sender.cubic
    if sender.reducing:
        reduce_window(sender, ack)
    elif ack.advanced:
        if sender.is_window_used():
            cubic.grow(now_ns, ack.delivered)
        sender.note_growth(now_ns)
    if sender.rtt.smoothed:
        percent = PACING_PERCENT if cubic.window < cubic.threshold // 2 else PACING_PERCENT_LATER
        busy = max(cubic.window, len(sender.queue))
        sender.pacing_rate = sender.mss * 80_000 * percent * busy // sender.rtt.smoothed


def _send_following(sender: SimSender, now_ns: int, following: Next) -> None:
    if following == "new":
        sender.release(now_ns)
        if sender.next_byte > sender.high_byte:
            return
        sender.forward = False
    if following:
        repeat_lost(sender, now_ns)
