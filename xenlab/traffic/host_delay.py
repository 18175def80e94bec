"""What a host keeps from a lab by running something else, seen while packets are on their way."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from xenlab.errors import LabError
from xenlab.measure.host_delays import PERIOD_S, HostSample
from xenlab.traffic.handle import LabHandle


@contextmanager
def host_sampled(lab: LabHandle) -> Iterator[list[HostSample]]:
    """Samples of `LabHandle.host_delay_ms` that grow as long as the context lasts."""
    samples: list[HostSample] = []
    done = threading.Event()

    def sample() -> None:
        asked_s = time.monotonic()
        delay_ms = lab.host_delay_ms()
        if delay_ms is not None:
            samples.append(HostSample(asked_s=asked_s, told_s=time.monotonic(), delay_ms=delay_ms))

    def go_on() -> None:
        # Whoever waits for the lab is told that it is gone, by what it waits for.
        with suppress(LabError):
            while not done.wait(PERIOD_S):
                sample()

    sample()
    sampling = threading.Thread(target=go_on, name="host-delays", daemon=True)
    sampling.start()
    try:
        yield samples
    finally:
        done.set()
        sampling.join()
    sample()
