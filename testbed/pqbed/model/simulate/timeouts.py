"""Timers of a sender: tail loss probe, retransmission time-out, and the look back for what was overtaken.

Follows tcp_write_timer_handler and what it calls (net/ipv4/tcp_timer.c, tcp_output.c, tcp_recovery.c).
"""

from pqbed.model.simulate.recovery import (
    Ack,
    begin_undo,
    enter_recovery,
    reduce_window,
    repeat_counted,
    repeat_lost,
)
from pqbed.model.simulate.sender import SimSender


def fire_timer(sender: SimSender, now_ns: int) -> None:
    """Do what the timer that is set was set for."""
    if sender.timer == "probe":
        _probe(sender, now_ns)
    elif sender.timer == "reorder":
        _look_back(sender, now_ns)
    elif sender.timer == "retransmit":
        sender.timer = None
        if sender.queue:
            _time_out(sender, now_ns)


def _probe(sender: SimSender, now_ns: int) -> None:
    """Send a tail loss probe: new data, or the last segment again (tcp_send_loss_probe)."""
    if not sender.probe_end:
        sender.probe_repeats = False
        if sender.has_waiting and sender.release(now_ns, probe=True):
            _note_probe(sender)
        elif sender.queue and sender.repeat(now_ns, sender.queue.segments[-1]):
            sender.probe_repeats = True
            _note_probe(sender)
    sender.rearm(now_ns)


def _note_probe(sender: SimSender) -> None:
    sender.probe_end = sender.next_byte
    sender.timer = None


def _look_back(sender: SimSender, now_ns: int) -> None:
    in_flight, lost = sender.queue.in_flight, sender.queue.lost
    recovering = sender.state in ("recovery", "loss")
    sender.queue.mark_overtaken(now_ns // 1000, sender.rtt, recovering=recovering)
    if in_flight != sender.queue.in_flight:
        if sender.state != "recovery":
            enter_recovery(sender)
            newly_lost = sender.queue.lost - lost
            reduce_window(sender, Ack(advanced=False, informs=False, delivered=1, newly_lost=newly_lost))
        repeat_lost(sender, now_ns)
    if sender.timer != "retransmit":
        sender.rearm(now_ns)


def _time_out(sender: SimSender, now_ns: int) -> None:
    """Take all for lost that may be, and send the first segment again (tcp_retransmit_timer)."""
    _enter_loss(sender, now_ns)
    sender.timeouts += 1
    repeat_counted(sender, now_ns, sender.queue.head)
    sender.rtt.back_off()
    sender.set_timer(now_ns, "retransmit", sender.rtt.rto)


def _enter_loss(sender: SimSender, now_ns: int) -> None:
    new = sender.state not in ("recovery", "loss")
    sender.queue.mark_at_timeout(now_ns // 1000)
    calm = sender.state in ("open", "disorder") or sender.high_byte <= sender.acknowledged
    if calm or (sender.state == "loss" and not sender.timeouts):
        sender.prior_threshold = sender.cubic.threshold if sender.reducing else sender.cubic.present_threshold
        sender.prior_window = sender.window
        sender.cubic.reduce()
        begin_undo(sender)
    sender.cubic.window = sender.queue.in_flight + 1
    sender.cubic.clear_credit()
    sender.note_growth(now_ns)
    sender.cubic.forget(now_ns, sender.next_byte)
    sender.state = "loss"
    sender.high_byte = sender.next_byte
    sender.probe_end = 0
    sender.forward = new or sender.timeouts > 0
