"""Take a bed, say which and why, make what it needs, and end what it holds when the command ends."""

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pqbed_cli.render.output import say
from pqbed_cli.render.steps import Steps, show_steps

if TYPE_CHECKING:
    from pqbed.beds.bed import Bed


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A bed, and the display of its building steps."""

    bed: "Bed"
    steps: Steps

    def prepare(self, stacks: Sequence[str] = ()) -> dict[str, str]:
        """Make or find what the bed needs, showing the steps; return the identities."""
        try:
            return self.bed.prepare(stacks)
        finally:
            self.steps.close()


@contextlib.contextmanager
def take_bed(
    choice: str | None,
    clock: str | None,
    *,
    json_output: bool = False,
    ca_bundle: Path | None = None,
    quiet: bool = False,
) -> Iterator[Taken]:
    """Yield the bed. `quiet` keeps back the line on what was taken."""
    from pqbed.beds.choose import choose_bed

    steps = show_steps()
    with contextlib.closing(steps):
        bed, reason = choose_bed(choice or "auto", clock, on_step=steps, ca_bundle=ca_bundle)
        if not quiet:
            say(f"bed: {reason}", json_output=json_output)
        with contextlib.closing(bed):
            yield Taken(bed=bed, steps=steps)


@contextlib.contextmanager
def take_native_bed(*, ca_bundle: Path | None = None) -> Iterator[Taken]:
    """Yield the bed whose lanes run on this host's own kernel and clock. Its `prepare` refuses a host that cannot."""
    from pqbed.beds.make import make_netns

    steps = show_steps()
    with contextlib.closing(steps), contextlib.closing(make_netns("real", steps, ca_bundle)) as bed:
        yield Taken(bed=bed, steps=steps)
