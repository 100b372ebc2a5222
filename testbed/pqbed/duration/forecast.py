"""How long a sweep with a precision will go on: what is expected to be left of each cell, at what it costs."""

from collections.abc import Mapping

from pqbed.plan import Plan


class Forecast:
    """Told of every sample and every look. Times in seconds on any one clock; not safe between threads."""

    def __init__(self, lanes: int, plan: Plan) -> None:
        self._lanes = lanes
        self._left = dict.fromkeys(plan.cells, plan.samples)  # until the first look
        self._last_s: dict[int, float] = {}
        self._spent: dict[str, tuple[int, float]] = {}

    def taken(self, lane: int, cell_id: str, at_s: float) -> None:
        """Count one sample. It cost what went by on its lane since the one before."""
        if cell_id in self._left:
            self._left[cell_id] = max(0, self._left[cell_id] - 1)
        last_s = self._last_s.get(lane)
        self._last_s[lane] = at_s
        if last_s is not None:
            count, spent_s = self._spent.get(cell_id, (0, 0.0))
            self._spent[cell_id] = count + 1, spent_s + at_s - last_s

    def look(self, left: Mapping[str, int]) -> None:
        """Expect `left` more samples of each cell."""
        self._left = dict(left)

    def seconds_left(self) -> float:
        """Return the wall-clock time of what is left on all lanes. A cell never fetched here costs as the others do."""
        each_s = {cell: spent_s / count for cell, (count, spent_s) in self._spent.items()}
        count = sum(count for count, _ in self._spent.values())
        usual_s = sum(spent_s for _, spent_s in self._spent.values()) / max(1, count)
        return sum(left * each_s.get(cell, usual_s) for cell, left in self._left.items()) / self._lanes
