"""An end of a link that is not shaped."""

from pqbed.net.link_state import EndState
from pqbed.spec.link_end_shape import EndShape


class BareEnd:
    """For a kernel that may have no netem: it says yes to everything."""

    def shape(self, shape: EndShape) -> EndState:
        return EndState(asked=shape, applied=shape, text="")

    def read(self) -> EndState:
        raise NotImplementedError

    def quiet(self) -> None:
        pass

    def drain(self) -> int:
        return 0

    def marked(self) -> int:
        return 0

    def queue(self) -> tuple[int, int]:
        return 0, 0
