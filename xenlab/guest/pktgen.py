"""The kernel's packet generator: /proc/net/pktgen of a Linux, set up, started and cleared again.

clone_skb and burst are never touched: they give one skb to a driver several times, and a vif queues
skbs by their own list pointers (xenvif_rx_queue_tail(), drivers/net/xen-netback/rx.c:101).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from xenlab.errors import MeasurementError
from xenlab.transport.shell import Shell
from xenlab.undoing import undone
from xenlab.waiting import Deadline

MODULE = "pktgen"
FOLDER = "/proc/net/pktgen"
# PKTGEN_MAGIC (net/core/pktgen.c:185), the first word behind the UDP header.
MAGIC = 0xBE9BE955
UNDO_S = 60.0
STALL_S = 10
STOP_S = 3

# $1: the device. Whoever else uses it keeps it, and everything that was set in it.
CLAIM = f"""
if [ -e {FOLDER} ]; then echo "{FOLDER} is there: somebody else uses it" >&2; exit 1; fi
modprobe {MODULE} || exit 1
echo "add_device $1" >{FOLDER}/kpktgend_0 || {{ rmmod {MODULE}; exit 1; }}
"""
# `reset` takes the device away from what runs still; a module that is busy is not taken out.
RELEASE = f"""
[ -e {FOLDER} ] || exit 0
echo reset >{FOLDER}/pgctrl
rmmod {MODULE}
"""
# $1: the device; $2: seconds; then settings. Whoever has sent nothing for so long is stopped, and
# says what it has sent: to a device that takes no more it would try for ever. `start` returns when
# all is sent, however long that takes, or before the generator's thread has begun: it gives it
# 125 ms (pktgen_run_all_threads(), net/core/pktgen.c). Nothing stops one that waits for its last
# skb (pktgen_wait_for_skb()): it tells how many packets it has sent, and no result.
RUN = f"""
file={FOLDER}/$1
stall=$2
sent=none
shift 2
for setting; do echo "$setting" >"$file" || exit 1; done
echo start >{FOLDER}/pgctrl &
until grep -q 'Result: OK: [0-9]*(c' "$file"; do
	sleep 0.02
	now=$(date +%s)
	before=$sent
	sent=$(grep pkts-sofar "$file")
	[ "$sent" = "$before" ] || end=$((now + stall))
	[ "$now" -ge "$end" ] || continue
	echo stop >{FOLDER}/pgctrl
	[ "$now" -lt $((end + {STOP_S})) ] || break
done
cat "$file"
"""

_RESULT = re.compile(
    r"Result: OK: (?P<elapsed_us>\d+)\(c\d+\+d\d+\) usec, (?P<sent>\d+) \((?P<size>\d+)byte,"
    r"(?P<frags>-?\d+)frags\)\n.* errors: (?P<errors>\d+)",
    re.DOTALL,
)
_WAITING = re.compile(
    r"pkts-sofar: (?P<sent>\d+)  errors: (?P<errors>\d+)\n.*^Result: Starting",
    re.DOTALL | re.MULTILINE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PktgenResult:
    """What pktgen says of a run; `refused` packets were not taken by the driver.

    `elapsed_us` is 0 where it waits for its last packet still.
    """

    sent_pkts: int
    refused: int
    elapsed_us: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Pktgen:
    """The generator of one node, on one device."""

    shell: Shell
    device: str

    def run(self, settings: Sequence[str], deadline: Deadline) -> PktgenResult:
        """Send what the settings say, or what the device takes of it before it stands still.

        Raises LabError or MeasurementError.
        """
        words = (self.device, str(STALL_S), *settings)
        answer = self.shell.run_script(RUN, *words, deadline=deadline).require_success()
        return parse_result(f"pktgen on {self.shell.where} {self.device}", answer.text)


@contextmanager
def pktgen_on(shell: Shell, device: str, deadline: Deadline) -> Iterator[Pktgen]:
    """The generator with one device; nothing is left of it. CommandFailed if somebody has it."""
    shell.run_script(CLAIM, device, deadline=deadline).require_success()

    def release() -> None:
        shell.run_script(RELEASE, deadline=Deadline.after(UNDO_S)).require_success()

    with undone(release):
        yield Pktgen(shell=shell, device=device)


def parse_result(what: str, text: str) -> PktgenResult:
    """The result in a device's file. Raises MeasurementError for one that is none."""
    if waiting := _WAITING.search(text):
        sent_pkts, refused = int(waiting["sent"]), int(waiting["errors"])
        return PktgenResult(sent_pkts=sent_pkts, refused=refused, elapsed_us=0)
    match = _RESULT.search(text)
    if match is None:
        said = text.partition("Result:")[2].strip().splitlines()
        raise MeasurementError(f"{what}: {said[0] if said else 'no result'}")
    return PktgenResult(
        sent_pkts=int(match["sent"]),
        refused=int(match["errors"]),
        elapsed_us=int(match["elapsed_us"]),
    )
