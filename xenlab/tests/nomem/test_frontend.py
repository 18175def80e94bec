"""A netfront that finds no memory for receive buffers goes on as soon as there is some again.

Needs: a kernel in the domU with kprobes, what the composer needs, and a vif of one queue. All
buffers that are offered already are filled, what comes then has to wait in dom0, and nothing of it
may be lost.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from xenlab.plan.model import DOM0
from xenlab.pytest_plugin import Judge
from xenlab.tests.rx.mixes import FULL, SMALL, build_mix
from xenlab.traffic.allocation import RX_BUFFER, allocation_watched
from xenlab.traffic.handle import LabHandle
from xenlab.traffic.layouts import composers_loaded
from xenlab.traffic.pausing import guest_of, look_at_once, send_to_paused
from xenlab.verdict.rx import judge_fill, judge_recovery
from xenlab.waiting import Deadline

SEED = 20190530


def test_what_finds_no_receive_buffer_waits_and_arrives_when_there_is_memory(
    lab: LabHandle, judge: Judge
) -> None:
    link = next(link for link in lab.plan.links() if link.source == DOM0 and link.sink_vif)
    with composers_loaded(lab, link), allocation_watched(lab, link.sink, RX_BUFFER) as watched:

        @contextmanager
        def without_memory(_deadline: Deadline) -> Iterator[None]:
            with watched.failing():
                yield

        held = f"no memory for {RX_BUFFER.what}"
        guest = replace(guest_of(lab, link), hold=without_memory, held=held)
        run = send_to_paused(guest, build_mix((SMALL, FULL)), look_at_once, seed=SEED)
        judge(judge_fill(run))
        judge(judge_recovery(run))
