"""The only waiting in xenlab: one Deadline handed down, one wait_until over tenacity."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

import tenacity

from xenlab.errors import WaitTimedOut

T = TypeVar("T")

POLL_FIRST_S = 0.005
POLL_MAX_S = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadline:
    """A point of the monotonic clock that a task and all its parts share."""

    at_s: float

    @classmethod
    def after(cls, seconds: float) -> Deadline:
        """A deadline `seconds` from now."""
        return cls(at_s=time.monotonic() + seconds)

    @property
    def remaining_s(self) -> float:
        """Seconds left, never below 0."""
        return max(0.0, self.at_s - time.monotonic())

    @property
    def expired(self) -> bool:
        """Whether nothing is left."""
        return self.remaining_s == 0.0

    def later(self, seconds: float) -> Deadline:
        """This deadline with some grace, for whoever ends what should have ended by itself."""
        return Deadline(at_s=self.at_s + seconds)

    def at_most(self, seconds: float) -> Deadline:
        """The earlier of this one and `seconds` from now: a child never outlives its parent."""
        return Deadline(at_s=min(self.at_s, time.monotonic() + seconds))


def wait_until(
    probe: Callable[[], T | None],
    what: str,
    deadline: Deadline,
    *,
    last_seen: Callable[[], str] = lambda: "",
) -> T:
    """Call `probe` until it returns something other than None or False, and return that.

    Raises WaitTimedOut with `what` and the text of `last_seen`. An error raised by the probe
    ends the wait at once: only the absence of an answer is waited out.
    """
    retrying = tenacity.Retrying(
        retry=tenacity.retry_if_result(lambda value: value is None or value is False),
        wait=tenacity.wait_exponential(multiplier=POLL_FIRST_S, max=POLL_MAX_S, exp_base=1.5),
        stop=lambda _state: deadline.expired,
    )
    started_s = time.monotonic()
    try:
        value = retrying(probe)
    except tenacity.RetryError as error:
        seen = last_seen()
        tail = f"; last seen: {seen}" if seen else ""
        waited_s = time.monotonic() - started_s
        raise WaitTimedOut(f"waited {waited_s:.1f} s for {what}{tail}") from error
    assert value is not None
    return value


@contextmanager
def ended_at(deadline: Deadline, end: Callable[[], object]) -> Iterator[None]:
    """Call `end` at the deadline, from another thread: for what waits and takes no limit itself."""
    timer = threading.Timer(deadline.remaining_s, end)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
