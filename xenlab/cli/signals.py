"""Signals: the first one asks for an orderly end, a second one of any kind ends us at once."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

HEEDED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
SIGNALLED = 128  # what a shell adds to the number of the signal that ended a program


class Interrupted(KeyboardInterrupt):
    """Somebody wants this command to end; what it made is taken down on the way out."""

    def __init__(self, number: int) -> None:
        self.exit_code = SIGNALLED + number
        super().__init__(signal.Signals(number).name)


@contextmanager
def orderly_signals() -> Iterator[None]:
    """Heed signals this way. What an impatient end leaves behind is swept by the next command."""

    def interrupt(number: int, _frame: FrameType | None) -> None:
        for heeded in HEEDED:
            signal.signal(heeded, signal.SIG_DFL)
        raise Interrupted(number)

    # One that our parent had us ignore (nohup, a background job) stays ignored.
    ours = [number for number in HEEDED if signal.getsignal(number) is not signal.SIG_IGN]
    before = {number: signal.signal(number, interrupt) for number in ours}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
