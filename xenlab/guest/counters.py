"""Counters of a Linux: one `xlflow counters` a snapshot, however many devices there are."""

from __future__ import annotations

from collections.abc import Sequence

from xenlab.errors import MeasurementError
from xenlab.guest.answer import Answer
from xenlab.guest.reading import XLFLOW, NodeFiles, parse_node_files
from xenlab.measure.counters import FILTER_DROPS, QDISC_DROPS, CounterSnapshot
from xenlab.transport.shell import Shell
from xenlab.waiting import Deadline

SCHEMA = 1

# They show the sums of their children, which are listed too (net/sched/sch_mq.c, mq_dump).
SUMMING_QDISCS = frozenset({"mq", "mqprio"})
# They hold filters and no packets (net/sched/sch_ingress.c).
FILTERING_QDISCS = frozenset({"ingress", "clsact"})


def read_counters(shell: Shell, node: str, deadline: Deadline) -> CounterSnapshot:
    """All counters of a node as they stand. Raises CommandFailed or MeasurementError."""
    result = shell.run([XLFLOW, "counters"], deadline=deadline).require_success()
    return parse_counters(node, result.stdout)


def read_counters_and_files(
    shell: Shell, node: str, patterns: Sequence[str], devices: Sequence[str], deadline: Deadline
) -> tuple[CounterSnapshot, NodeFiles]:
    """Both by one program: as `read_counters`, then as `read_node_files`."""
    argv = [XLFLOW, "read", "--counters", *patterns, "--", *devices]
    told = shell.run(argv, deadline=deadline).require_success().stdout
    counters, _newline, files = told.partition(b"\n")
    return parse_counters(node, counters), parse_node_files(files.decode(errors="replace"))


def parse_counters(node: str, text: bytes) -> CounterSnapshot:
    """The snapshot in an answer of `xlflow counters`. Raises MeasurementError."""
    answer = Answer.parse(f"counters of {node}", text)
    if answer.integer("schema") != SCHEMA:
        raise MeasurementError(f"{node} has an xlflow of schema {answer.integer('schema')}")
    devices = answer.nested("devices")
    counted = {device: devices.nested(device).all_integers() for device in devices}
    for counters in counted.values():
        counters |= {QDISC_DROPS: 0, FILTER_DROPS: 0}
    for qdisc in answer.nested_list("qdiscs"):
        device, kind = qdisc.text("device"), qdisc.text("kind")
        # A device may have come between the two dumps; it is not one that was asked for.
        if device in counted and kind not in SUMMING_QDISCS:
            counted[device][QDISC_DROPS] += qdisc.integer("drops")
            counted[device][FILTER_DROPS] += kind in FILTERING_QDISCS and qdisc.integer("drops")
    return CounterSnapshot(
        node=node,
        devices=counted,
        protocols=answer.nested("protocols").all_integers(),
        unfinished=answer.nested("unfinished").all_integers(),
    )
