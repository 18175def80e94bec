"""Keeping: a driver that does not give back what it was given, told from what nobody can tell."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from xenlab.errors import DriverFailed, MeasurementError
from xenlab.plan.model import Link
from xenlab.traffic.handle import LabHandle
from xenlab.traffic.link_sight import STILL_LOOKS, LinkSight, look
from xenlab.traffic.measuring import path_of

# On an ordinary machine a packet is back within milliseconds.
PATIENCE_S = 5.0


class NotBack(MeasurementError):
    """A sender's patience was up: for as long as that nothing came back.

    With `is_out` it has packets that were taken and did not come back; without, it was not given
    room for one, for which there may be other reasons than the driver.
    """

    def __init__(self, what: str, *, is_out: bool) -> None:
        self.is_out = is_out
        super().__init__(what)


def patience_words(lab: LabHandle) -> tuple[str, str]:
    """How long xlsource waits for a driver that gives nothing back, scaled to this host."""
    return ("--idle-ms", str(int(lab.budget(PATIENCE_S).remaining_s * 1000)))


@contextmanager
def keeping_told(lab: LabHandle, link: Link) -> Iterator[None]:
    """Raises DriverFailed for a NotBack where the link's rings stand still.

    Where they move, or cannot be seen, it stays the MeasurementError that it is.
    """
    try:
        yield
    except NotBack as error:
        path = path_of(lab, link)
        require_movement(error, [look(lab, path) for _ in range(STILL_LOOKS)])
        raise


def require_movement(error: NotBack, seen: Sequence[LinkSight]) -> None:
    """Return if these looks at a link do not say what became of its packets; else DriverFailed."""
    if left := find_standstill(seen, is_out=error.is_out):
        raise DriverFailed(f"{error.what}: {left}", phase="") from error


def find_standstill(seen: Sequence[LinkSight], *, is_out: bool) -> str:
    """How the rings stand still in all looks; nothing where they do not.

    Rings at rest stand still too. What they say then is that nobody will give back what is out.
    """
    last = seen[-1]
    same = all((sight.rings, sight.held) == (last.rings, last.held) for sight in seen)
    if not same or not last.rings or not (is_out or last.unrest):
        return ""
    return f"the rings stand still, {last.unrest or 'nothing on its way in them'}"
