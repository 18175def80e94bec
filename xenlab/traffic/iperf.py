"""iperf3 between two nodes: streams whose writes take turns in one thread, as fast as they go.

The streams share the pages that their thread fills (sk_page_frag(), include/net/sock.h), so that
the frags of each are pieces of compound pages: packets of more than 18 slots come of it by
themselves. Nobody compares the payload: whoever needs that sends verified flows beside.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from xenlab.errors import LabError, MeasurementError
from xenlab.guest.answer import Answer
from xenlab.transport.shell import Shell
from xenlab.waiting import Deadline

# Below the ephemeral ports, like the other ports of flows.
PORT = 20100
# Lines that come before the one that says it listens.
STRAY_LINES_MAX = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class IperfSpec:
    """Streams to an address, each write of so many bytes: for so long, or of so much in all."""

    address: str
    streams: int
    write_bytes: int
    seconds: int = 0
    payload_bytes: int = 0

    @property
    def extent(self) -> tuple[str, str]:
        """As iperf3 is told."""
        if self.payload_bytes:
            return ("--bytes", str(self.payload_bytes))
        return ("--time", str(self.seconds))


@dataclass(frozen=True, slots=True, kw_only=True)
class IperfResult:
    """What arrived, in how long by the receiver's clock, and segments that were sent again."""

    received_bytes: int
    elapsed_us: int
    retransmits: int


@contextmanager
def iperf_server(shell: Shell, deadline: Deadline) -> Iterator[None]:
    """A server for one client, which listens when the context is entered, and has ended after."""
    argv = ["iperf3", "--server", "--one-off", "--forceflush", "--port", str(PORT)]
    with shell.start(argv, deadline=deadline) as server:
        for _ in range(STRAY_LINES_MAX):
            if b"listening" in server.read_line(deadline):
                break
        else:
            raise LabError(f"{shell.where}: iperf3 did not say that it listens")
        yield
        server.wait(deadline)


def run_iperf(shell: Shell, spec: IperfSpec, deadline: Deadline) -> IperfResult:
    """Send to a server that listens. Raises LabError, or MeasurementError for a strange answer."""
    argv = [
        "iperf3", "--client", spec.address, "--port", str(PORT), "--json", "--interval", "0",
        "--parallel", str(spec.streams), "--length", str(spec.write_bytes),
        *spec.extent,
    ]  # fmt: skip
    answer = shell.run(argv, deadline=deadline)
    return parse_iperf(f"iperf3 on {shell.where}", answer.stdout)


def parse_iperf(what: str, text: bytes) -> IperfResult:
    """The result in iperf3's answer; its own error as MeasurementError."""
    answer = Answer.parse(what, text)
    if "error" in answer.fields:
        raise MeasurementError(f"{what}: {answer.text('error')}")
    end = answer.nested("end")
    received = end.nested("sum_received")
    return IperfResult(
        received_bytes=received.integer("bytes"),
        elapsed_us=round(received.number("seconds") * 1e6),
        retransmits=end.nested("sum_sent").integer("retransmits"),
    )
