"""The faults: each is a function of the stage and a source of random choices, and undoes what must not last."""

import contextlib
import os
import random
import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from pqbed.beds.docker.docker_sdk_engine import connect
from torture.processes import lane_groups, processes_in
from torture.stage import Stage

Fault = Callable[[Stage, random.Random], None]
MIB = 1 << 20


def send(number: signal.Signals) -> Fault:
    """Return the fault that sends pqbed alone a signal."""

    def strike(stage: Stage, _draw: random.Random) -> None:
        assert stage.sweep is not None
        stage.sweep.send_signal(number)

    return strike


def kill_lane(stage: Stage, draw: random.Random) -> None:
    if groups := _lanes(stage):
        _signal_groups([draw.choice(groups)], signal.SIGKILL)


def kill_inside(stage: Stage, draw: random.Random) -> None:
    """Kill one process of a guest: its kernel, or one in which the kernel runs a program."""
    lanes = set(_lanes(stage))
    inside = [pid for pid in processes_in(stage.folder) if _group(pid) in lanes]
    if inside:
        with contextlib.suppress(ProcessLookupError):
            os.kill(draw.choice(inside), signal.SIGKILL)


def kill_all(stage: Stage, _draw: random.Random) -> None:
    assert stage.sweep is not None
    _signal_groups([*_lanes(stage), stage.sweep.pid], signal.SIGKILL)


def suspend(stage: Stage, draw: random.Random) -> None:
    """Stop pqbed and its lanes for a while: what a suspended host does to them."""
    assert stage.sweep is not None
    _suspend([stage.sweep.pid, *_lanes(stage)], draw.uniform(0.2, 3))


def suspend_lane(stage: Stage, draw: random.Random) -> None:
    if groups := _lanes(stage):
        _suspend([draw.choice(groups)], draw.uniform(0.2, 5))


def full(*names: str) -> Fault:
    """Return the fault that fills these folders of the stage, until the sweep ends or for some seconds."""

    def strike(stage: Stage, draw: random.Random) -> None:
        if os.geteuid() != 0:
            return  # no file system of our own to fill
        with contextlib.ExitStack() as stack:
            for name in names:
                stack.enter_context(_filled(stage.folder / name))
            stage.wait_for(0, draw.uniform(1, 6))

    return strike


def kill_container(stage: Stage, draw: random.Random) -> None:
    with connect() as engine:
        if containers := _containers(engine, stage):
            engine._client.kill(draw.choice(containers))


def pause_container(stage: Stage, draw: random.Random) -> None:
    with connect() as engine:
        if containers := _containers(engine, stage):
            container = draw.choice(containers)
            engine._client.pause(container)
            time.sleep(draw.uniform(0.2, 5))
            engine._client.unpause(container)


FAULTS: Mapping[str, Fault] = {
    "kill": send(signal.SIGKILL),
    "interrupt": send(signal.SIGINT),
    "terminate": send(signal.SIGTERM),
    "hang up": send(signal.SIGHUP),
    "kill lane": kill_lane,
    "kill inside": kill_inside,
    "kill all": kill_all,
    "suspend": suspend,
    "suspend lane": suspend_lane,
    "full out": full("out"),
    "full tmp": full("tmp"),
    "full both": full("out", "tmp"),
    "kill container": kill_container,
    "pause container": pause_container,
}


@contextlib.contextmanager
def _filled(folder: Path) -> Iterator[None]:
    """Fill the file system at `folder` to its last byte, and free it again."""
    ballast = folder / "ballast"
    try:
        with contextlib.suppress(OSError), ballast.open("wb", buffering=0) as file:
            for size in (MIB, 4096, 1):
                with contextlib.suppress(OSError):
                    while True:
                        file.write(bytes(size))
        yield
    finally:
        ballast.unlink(missing_ok=True)


def _lanes(stage: Stage) -> list[int]:
    assert stage.sweep is not None
    return lane_groups(stage.folder, stage.sweep.pid)


def _group(pid: int) -> int:
    with contextlib.suppress(ProcessLookupError):
        return os.getpgid(pid)
    return 0


def _signal_groups(groups: Sequence[int], number: signal.Signals) -> None:
    for group in groups:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(group, number)


def _suspend(groups: Sequence[int], seconds: float) -> None:
    _signal_groups(groups, signal.SIGSTOP)
    try:
        time.sleep(seconds)
    finally:
        _signal_groups(groups, signal.SIGCONT)


def _containers(engine: object, stage: Stage) -> list[str]:
    client = engine._client  # type: ignore[attr-defined]
    return [each["Id"] for each in client.containers(filters={"label": f"io.pqbed.owner={stage.owner}"})]
