"""Beds opened for a command: chosen, prepared with progress, and closed when the command ends."""

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pqbed.artefacts.user_stacks import added_stacks
from pqbed.beds.bed_interface import Bed
from pqbed.beds.choose_bed import bed_for_kernel, choose_bed, reopen_bed
from pqbed.beds.leftovers import remove_leftovers
from pqbed.beds.up_session import Session
from pqbed.spec.value_parsers import naming, parse_stacks
from pqbed_cli.options import BuildOptions
from pqbed_cli.render.build_progress import Steps, show_steps
from pqbed_cli.render.streams import note
from pqbed_cli.workflow_results import BuiltBed
from pqbed_cli.workflows.sweep_request import read_run_option


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenBed:
    """A bed, and the display of its building steps."""

    bed: Bed
    steps: Steps

    def prepare(self, stacks: Sequence[str] = ()) -> dict[str, str]:
        """Build or find what the bed needs, showing the steps; return the identities, those of added stacks too."""
        try:
            return self.bed.prepare(stacks) | {f"stack {name}": digest for name, digest in added_stacks(stacks).items()}
        finally:
            self.steps.close()


@contextlib.contextmanager
def open_bed(
    choice: str | None,
    clock: str | None,
    *,
    kernel: str | None = None,
    ca_bundle: Path | None = None,
    to_measure: bool = True,
) -> Iterator[OpenBed]:
    """Yield the bed, and print which and why. One that is not to measure, only to build for, needs no netem.

    What killed processes left on this host is removed first.
    """
    remove_leftovers()
    choice, clock = read_run_option("bed", choice) or "auto", read_run_option("clock", clock)
    kernel = read_run_option("kernel", kernel)
    with naming("--kernel"):
        choice = bed_for_kernel(choice, kernel)
    steps = show_steps()
    with contextlib.closing(steps):
        with naming("--clock"):  # the only wrong request left: a clock that the bed does not have
            bed, reason = choose_bed(
                choice, clock, on_step=steps, ca_bundle=ca_bundle, to_measure=to_measure, kernel=kernel
            )
        note(f"bed: {reason}")
        with contextlib.closing(bed):
            yield OpenBed(bed=bed, steps=steps)


@contextlib.contextmanager
def open_session_bed(session: Session) -> Iterator[OpenBed]:
    """Yield the bed that `up` started, on the engine that it was started on."""
    steps = show_steps()
    with (
        contextlib.closing(steps),
        contextlib.closing(
            reopen_bed(session.bed, session.clock, session.engine, on_step=steps, kernel=session.guest_kernel)
        ) as bed,
    ):
        yield OpenBed(bed=bed, steps=steps)


@contextlib.contextmanager
def open_native_bed(*, ca_bundle: Path | None = None) -> Iterator[OpenBed]:
    """Yield the bed whose lanes run on this host's own kernel and clock. Its `prepare` refuses a host that cannot."""
    from pqbed.beds.make_bed import make_netns

    steps = show_steps()
    with contextlib.closing(steps), contextlib.closing(make_netns("real", steps, ca_bundle)) as bed:
        yield OpenBed(bed=bed, steps=steps)


def build(options: BuildOptions) -> BuiltBed:
    """Build what the bed and the stacks need."""
    stacks = () if options.stack is None else parse_stacks(options.stack)
    with open_bed(
        options.bed, options.clock, kernel=options.kernel, ca_bundle=options.ca_bundle, to_measure=False
    ) as opened:
        artefacts = opened.prepare(stacks)
        return BuiltBed(bed=opened.bed.name, clock=opened.bed.clock, artefacts=artefacts)
