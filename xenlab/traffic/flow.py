"""Flows between two nodes: one receiver and one sender, each one command however many flows."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from xenlab.errors import LabError, MeasurementError
from xenlab.guest.answer import Answer
from xenlab.guest.counters import SCHEMA, parse_counters
from xenlab.guest.reading import XLFLOW
from xenlab.measure.counters import CounterSnapshot
from xenlab.measure.flow import Damage, DamageKind, Flow, FlowSpec, TcpFlow, Transport, UdpFlow
from xenlab.transport.shell import CommandResult, RunningCommand, Shell
from xenlab.waiting import Deadline

NONCE_BYTES = 8
# Lines that a login shell or a loader may print before the tool speaks.
STRAY_LINES_MAX = 20
# The tools end by themselves within this share of the deadline, so that they can still report.
TOOL_SHARE = 0.8
IDLE_S = 3.0
# A receiver that has everything says so at once; to tell another one costs a command.
END_NOTICE_S = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowBudget:
    """How long a run may take: all of it, and a receiver without a packet once all was sent."""

    deadline: Deadline
    idle_s: float = IDLE_S

    @property
    def options(self) -> tuple[str, ...]:
        """The budget as options of xlflow."""
        timeout_ms = int(self.deadline.remaining_s * TOOL_SHARE * 1000)
        return ("--timeout-ms", str(timeout_ms), "--idle-ms", str(int(self.idle_s * 1000)))


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowRun:
    """Flows, and what their two ends had counted before the first packet and after the last."""

    flows: tuple[Flow, ...]
    before: Mapping[str, CounterSnapshot]
    after: Mapping[str, CounterSnapshot]


Send = Callable[[Shell, Sequence[FlowSpec], FlowBudget], Sequence[bytes]]


def send_flows(source: Shell, specs: Sequence[FlowSpec], budget: FlowBudget) -> Sequence[bytes]:
    """What `xlflow send` writes: counters, a line for each flow, counters."""
    argv = [XLFLOW, "send", *budget.options, "--counters", *(spec.argument for spec in specs)]
    return source.run(argv, deadline=budget.deadline).require_success().stdout.splitlines()


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowSource:
    """What sends flows: a function that writes what `send_flows` does.

    `mtu_bytes` is the source's where somebody has set another than the plan's.
    """

    send: Send = send_flows
    mtu_bytes: int | None = None


XLFLOW_SEND = FlowSource()


def run_flows(
    source: Shell,
    sink: Shell,
    specs: Sequence[FlowSpec],
    budget: FlowBudget,
    how: FlowSource = XLFLOW_SEND,
    *,
    apart_mtu_bytes: int = 0,
) -> FlowRun:
    """Send all flows from source to sink, one after another, and compare every byte at the sink.

    With an `apart_mtu_bytes` datagrams of one packet at that MTU need not come in order with those
    in fragments, but for themselves.

    The counters come with the flows because each command costs more than the flows do.
    Raises CommandFailed, WaitTimedOut or ConnectionLost when the lab broke, and MeasurementError
    when an answer is not to be understood. Lost and damaged payload is a result, not an error.
    """
    arguments = [spec.argument for spec in specs]
    halves = secrets.token_hex(NONCE_BYTES), secrets.token_hex(NONCE_BYTES)
    nonce = ["--nonce", "+".join(halves)]
    apart = ["--apart-mtu", str(apart_mtu_bytes)] if apart_mtu_bytes else []
    receive = [XLFLOW, "recv", *budget.options, *apart, "--counters", *nonce, *arguments]
    with sink.start(receive, deadline=budget.deadline) as receiver:
        sink_before = _wait_until_bound(sink, receiver, "".join(halves), budget.deadline)
        sent = how.send(source, specs, budget)
        received = _await_end(receiver, budget.deadline).stdout.splitlines()
    if len(sent) != len(specs) + 2 or len(received) != len(specs) + 1:
        raise MeasurementError(
            f"{len(specs)} flows: {source.where} wrote {len(sent)} lines,"
            f" {sink.where} {len(received)}"
        )
    return FlowRun(
        flows=parse_flows(specs, sent[1:-1], received[:-1]),
        before=_parse_ends(source, sent[0], sink, sink_before),
        after=_parse_ends(source, sent[-1], sink, received[-1]),
    )


def _await_end(receiver: RunningCommand, deadline: Deadline) -> CommandResult:
    """Wait for a receiver whose sender has ended, which it is told if something is missing yet.

    While the sender goes on a receiver does not give up, however long nothing comes.
    """
    if not receiver.speaks(Deadline.after(min(END_NOTICE_S, deadline.remaining_s))):
        receiver.signal("USR1", deadline)
    return receiver.wait(deadline).require_success()


def _parse_ends(
    source: Shell, source_counters: bytes, sink: Shell, sink_counters: bytes
) -> Mapping[str, CounterSnapshot]:
    return {
        source.where: parse_counters(source.where, source_counters),
        sink.where: parse_counters(sink.where, sink_counters),
    }


def _wait_until_bound(
    sink: Shell, receiver: RunningCommand, nonce: str, deadline: Deadline
) -> bytes:
    """Until the receiver says that all its sockets are there; what it said before is returned.

    Nothing may be sent earlier. The line before is the one with the counters.
    """
    ready = f"READY {nonce}".encode()
    before = b""
    for _ in range(STRAY_LINES_MAX):
        line = receiver.read_line(deadline).strip()
        if line == ready:
            return before
        before = line
    raise LabError(f"{sink.where}: xlflow recv did not say that it is ready")


def parse_flows(
    specs: Sequence[FlowSpec], sent: Sequence[bytes], received: Sequence[bytes]
) -> tuple[Flow, ...]:
    """The flows in the lines that both tools printed, one a flow. Raises MeasurementError."""
    senders = _parse_lines("sender", specs, sent)
    receivers = _parse_lines("receiver", specs, received)
    return tuple(
        _parse_udp(*ends) if ends[0].transport is Transport.UDP else _parse_tcp(*ends)
        for ends in zip(specs, senders, receivers, strict=True)
    )


def _parse_lines(who: str, specs: Sequence[FlowSpec], lines: Sequence[bytes]) -> tuple[Answer, ...]:
    return tuple(
        _parse_line(f"{who} of {spec}", index, line)
        for index, (spec, line) in enumerate(zip(specs, lines, strict=True))
    )


def _parse_line(what: str, index: int, line: bytes) -> Answer:
    answer = Answer.parse(what, line)
    if answer.integer("schema") != SCHEMA or answer.integer("flow") != index:
        raise MeasurementError(f"{what}: not an answer of this xlflow to this flow")
    return answer


def _parse_udp(spec: FlowSpec, sender: Answer, receiver: Answer) -> UdpFlow:
    flow = UdpFlow(
        spec=spec,
        sent=sender.integer("sent"),
        errors=_parse_errors(sender),
        received=receiver.integer("received"),
        intact=receiver.integer("intact"),
        corrupt=receiver.integer("corrupt"),
        truncated=receiver.integer("truncated"),
        missing=receiver.integer("missing"),
        duplicates=receiver.integer("duplicates"),
        foreign=receiver.integer("foreign"),
        reordered=receiver.integer("reordered"),
        missing_indexes=receiver.integers("missing_indexes"),
        damages=tuple(_parse_damage(example) for example in receiver.nested_list("examples")),
        ended=receiver.text("ended"),
        sender_ended=sender.text("ended"),
    )
    if not flow.adds_up:
        raise MeasurementError(f"{receiver.what}: the datagrams do not add up: {flow}")
    return flow


def _parse_tcp(spec: FlowSpec, sender: Answer, receiver: Answer) -> TcpFlow:
    return TcpFlow(
        spec=spec,
        sent_bytes=sender.integer("sent"),
        errors=_parse_errors(sender),
        received_bytes=receiver.integer("received"),
        bad_bytes=receiver.integer("bad_bytes"),
        first_bad_offset=receiver.integer("first_bad_offset"),
        sender_ended=sender.text("ended"),
        receiver_ended=receiver.text("ended"),
    )


def _parse_errors(sender: Answer) -> tuple[tuple[str, int], ...]:
    return tuple(sender.nested("errors").all_integers().items())


def _parse_damage(example: Answer) -> Damage:
    kind = example.text("kind")
    try:
        damage = DamageKind(kind)
    except ValueError as error:
        raise MeasurementError(f"{example.what}: {kind!r} is no kind of damage") from error
    return Damage(
        kind=damage,
        index=example.integer("index"),
        expected_bytes=example.integer("expected_bytes"),
        got_bytes=example.integer("got_bytes"),
        first_bad_offset=example.integer("first_bad_offset"),
        bad_bytes=example.integer("bad_bytes"),
    )
