"""Loss recovery of a sender, and how it is undone where nothing was lost (net/ipv4/tcp_input.c).

Follows tcp_fastretrans_alert on a link that loses and reorders nothing: what a timer sent again arrives a second time,
the receiver says so (D-SACK), and time stamps tell what was sent first (Eifel, RFC 3522; F-RTO, RFC 5682).
"""

from dataclasses import dataclass
from typing import Literal

from pqbed.model.simulate.jiffies import stamp_ms
from pqbed.model.simulate.segment import SimSegment, Unacknowledged
from pqbed.model.simulate.sender import SimSender, State

# What to send after an acknowledgement: segments taken for lost, or new data to find out whether they are (F-RTO).
Next = Literal["", "lost", "new"]


@dataclass(slots=True, kw_only=True)
class Ack:
    """What one acknowledgement brought.

    `advanced`: new data is acknowledged; `informs`: that, a new window, or data came with it; `original`: something
    that was never sent again is acknowledged. `duplicate` and `probe_duplicate`: something, and a tail loss probe,
    came twice. Counts are of segments.
    """

    advanced: bool
    informs: bool
    duplicate: bool = False
    probe_duplicate: bool = False
    original: bool = False
    repeats_lost: bool = False
    delivered: int = 0
    newly_lost: int = 0
    set_timer: bool = False


def advance_state(sender: SimSender, now_ns: int, segment: SimSegment, ack: Ack) -> Next:
    """Leave or enter recovery."""
    _leave_reached(sender, now_ns, segment)
    if sender.state == "recovery":
        return _recover(sender, now_ns, segment, ack)
    following: Next = ""
    if sender.state == "loss":
        following = _leave_loss(sender, now_ns, segment, ack)
        _find_lost(sender, now_ns, ack)
        if _is(sender, "loss", "disorder", "reduced", "recovery") and not ack.repeats_lost:
            return following
    return _watch(sender, now_ns, ack) or following


def repeat_lost(sender: SimSender, now_ns: int) -> None:
    """Send lost segments again, as many as the window allows."""
    queue = sender.queue
    head = queue.head if queue else None
    rearm = False
    for segment in list(queue):
        if sender.window <= queue.in_flight or queue.resent >= queue.lost:
            break
        if not segment.lost or segment.resent:
            continue
        if not repeat_counted(sender, now_ns, segment):
            break
        if sender.reducing:
            sender.reduction_sent += 1
        rearm |= segment is head and sender.timer != "reorder"
    if rearm:
        sender.set_timer(now_ns, "retransmit", sender.rtt.rto)


def repeat_counted(sender: SimSender, now_ns: int, segment: Unacknowledged) -> bool:
    """Send a lost segment again; return False where it is still in a queue of its own host."""
    done = sender.repeat(now_ns, segment)
    if done:
        segment.resent = True
        sender.queue.resent += 1
    if not sender.first_repeat_ms:
        sender.first_repeat_ms = stamp_ms(segment.sent_ns)
    sender.undo_repeats = max(0, sender.undo_repeats) + 1
    return done


def enter_recovery(sender: SimSender) -> None:
    if not sender.queue.has_repeats:
        sender.first_repeat_ms = 0
    sender.prior_threshold = 0
    begin_undo(sender)
    if not sender.reducing:
        sender.prior_threshold = sender.cubic.present_threshold
        begin_reduction(sender)
    sender.state = "recovery"


def begin_undo(sender: SimSender) -> None:
    """Remember what tells later whether it was in vain."""
    sender.undo_from = sender.acknowledged
    sender.undo_repeats = sender.queue.resent + bool(sender.probe_end and sender.probe_repeats) or -1


def begin_reduction(sender: SimSender) -> None:
    sender.high_byte = sender.next_byte
    sender.probe_end = 0
    sender.cubic.clear_credit()
    sender.prior_window = sender.window
    sender.reduction_delivered = sender.reduction_sent = 0
    sender.cubic.reduce()


def end_reduction(sender: SimSender) -> None:
    if sender.state == "reduced" or sender.undo_from is not None:
        sender.cubic.window = sender.cubic.threshold


def keep_open(sender: SimSender) -> None:
    state: State = "disorder" if sender.queue.lost or sender.queue.has_repeats else "open"
    if sender.state != state:
        sender.state = state
        sender.high_byte = sender.next_byte


def reduce_window(sender: SimSender, ack: Ack) -> None:
    """Shrink the window at the pace of what is delivered (PRR, RFC 6937)."""
    if ack.delivered <= 0:
        return
    sender.reduction_delivered += ack.delivered
    threshold = sender.cubic.threshold
    room = threshold - sender.queue.in_flight
    if room < 0:
        share = -(-threshold * sender.reduction_delivered // sender.prior_window)
        count = share - sender.reduction_sent
    else:
        count = max(sender.reduction_delivered - sender.reduction_sent, ack.delivered)
        count += ack.advanced and not ack.newly_lost
        count = min(room, count)
    count = max(count, 0 if sender.reduction_sent else 1)
    sender.cubic.window = sender.queue.in_flight + count


def _is(sender: SimSender, *states: State) -> bool:
    return sender.state in states


def _leave_reached(sender: SimSender, now_ns: int, segment: SimSegment) -> None:
    """Leave a state when all that was in flight at its beginning is acknowledged."""
    if sender.state == "open":
        sender.first_repeat_ms = 0
    elif sender.acknowledged < sender.high_byte:
        return
    elif sender.state == "reduced" and sender.acknowledged != sender.high_byte:
        end_reduction(sender)
        sender.state = "open"
    elif sender.state == "recovery":
        _undo_if_spurious(sender, now_ns, segment)
        end_reduction(sender)
        sender.state = "open"


def _recover(sender: SimSender, now_ns: int, segment: SimSegment, ack: Ack) -> Next:
    if ack.advanced and _undo_partly(sender, now_ns, segment):
        return ""
    if _undo_by_duplicate(sender, now_ns):
        keep_open(sender)
    _find_lost(sender, now_ns, ack)
    if sender.state != "recovery":
        if not sender.queue.lost:
            return ""
        enter_recovery(sender)
    return "lost"


def _watch(sender: SimSender, now_ns: int, ack: Ack) -> Next:
    """Look for losses outside of a recovery."""
    if sender.state in ("open", "disorder"):
        _undo_by_duplicate(sender, now_ns)
    _find_lost(sender, now_ns, ack)
    if sender.queue.lost:
        enter_recovery(sender)
        return "lost"
    if not sender.queue.has_repeats:
        sender.first_repeat_ms = 0
    if sender.state != "reduced":
        keep_open(sender)
    return ""


def _leave_loss(sender: SimSender, now_ns: int, segment: SimSegment, ack: Ack) -> Next:
    """Undo a time-out that was spurious."""
    recovered = sender.acknowledged >= sender.high_byte
    if (ack.advanced and _may_undo(sender, segment)) or (sender.forward and ack.original):
        _undo_reduction(sender, now_ns, unmark=True)
        sender.timeouts = 0
        sender.state = "open"
        return ""
    if sender.forward:
        if sender.next_byte > sender.high_byte:
            sender.forward = ack.informs
        elif ack.advanced and not recovered:
            sender.high_byte = sender.next_byte
            if sender.has_waiting and sender.limit > sender.next_byte:
                return "new"
            sender.forward = False
    if recovered:
        _undo_if_spurious(sender, now_ns, segment)
        sender.state = "open"
        return ""
    return "lost"


def _may_undo(sender: SimSender, segment: SimSegment) -> bool:
    return sender.undo_from is not None and (not sender.undo_repeats or _was_delayed(sender, segment))


def _was_delayed(sender: SimSender, segment: SimSegment) -> bool:
    """Tell whether what is acknowledged was sent before anything was sent again."""
    return not sender.first_repeat_ms or segment.echo_ms < sender.first_repeat_ms


def _undo_if_spurious(sender: SimSender, now_ns: int, segment: SimSegment) -> None:
    if _may_undo(sender, segment):
        _undo_reduction(sender, now_ns, unmark=False)


def _undo_partly(sender: SimSender, now_ns: int, segment: SimSegment) -> bool:
    """Undo a recovery whose lost segment was late; return whether others of it are still in flight."""
    if sender.undo_from is None or not _was_delayed(sender, segment):
        return False
    sender.queue.reordering_seen = True
    if sender.queue.resent:
        return True
    if not sender.queue.has_repeats:
        sender.first_repeat_ms = 0
    _undo_reduction(sender, now_ns, unmark=True)
    keep_open(sender)
    return False


def _undo_by_duplicate(sender: SimSender, now_ns: int) -> bool:
    """Undo where all that was sent again came twice."""
    if sender.undo_from is None or sender.undo_repeats:
        return False
    _undo_reduction(sender, now_ns, unmark=False)
    return True


def _undo_reduction(sender: SimSender, now_ns: int, *, unmark: bool) -> None:
    if unmark:
        sender.queue.unmark_lost()
    if sender.prior_threshold:
        sender.cubic.window = max(sender.window, sender.prior_window)
        sender.cubic.threshold = max(sender.cubic.threshold, sender.prior_threshold)
    sender.note_growth(now_ns)
    sender.undo_from = None
    sender.queue.rack.advanced = True


def _find_lost(sender: SimSender, now_ns: int, ack: Ack) -> None:
    rack = sender.queue.rack
    if not sender.queue or not rack.advanced:
        return
    rack.advanced = False
    resent = sender.queue.resent
    recovering = _is(sender, "recovery", "loss")
    again_us = sender.queue.mark_overtaken(now_ns // 1000, sender.rtt, recovering=recovering)
    if again_us:
        sender.schedule_look_back(now_ns, again_us)
        ack.set_timer = False
    ack.repeats_lost |= sender.queue.resent < resent
