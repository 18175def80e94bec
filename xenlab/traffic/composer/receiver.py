"""The receiving end: /dev/xlreceive armed for a batch, and the record of each packet there."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from xenlab.errors import LabError
from xenlab.traffic.composer import wire
from xenlab.traffic.composer.batch import Batch, encode_device
from xenlab.traffic.composer.module import REFUSAL
from xenlab.traffic.composer.results import ArrivalReport, parse_arrivals
from xenlab.traffic.composer.wire import Op
from xenlab.transport.shell import RunningCommand, Shell
from xenlab.waiting import Deadline

NONCE_BYTES = 8
# By how much a receiver that nobody finishes outlives whoever waits for it: what is late is an
# error of the lab then, and no loss.
GRACE_MS = 10_000
# Lines that a login shell may print before ours.
STRAY_LINES_MAX = 20

# By how much the last arrival may be told later than the sender's end: about what an order costs.
ORDINARY_LAG_S = 0.2

# $1: the order, as octal escapes; $2, $3: halves of what says that it was taken.
RECEIVE = f"""
[ -c /dev/xlreceive ] && exec 3<>/dev/xlreceive || exit 1
printf "$1" >&3 || {{ cat {REFUSAL} >&2; exit 1; }}
echo "READY $2$3"
exec cat <&3
"""
FINISH = f"""printf "$1" >/dev/xlreceive || {{ cat {REFUSAL} >&2; exit 1; }}"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """Where a batch is awaited.

    `copies` is how many packets there may be for each one sent: segments and duplicates.
    """

    device: str
    copies: int = 2

    def encode(self, batch: Batch, op: Op, patience_ms: int) -> bytes:
        """A struct xlc_arm; the patience is for the next packet and, when it arms, for all."""
        return wire.ARM.pack(
            wire.ARM_MAGIC,
            wire.VERSION,
            wire.ARM.size,
            op,
            batch.packets * self.copies,
            batch.seed,
            batch.first_id,
            batch.packets,
            batch.packets,
            sum(order.payload_bytes * order.repeat for order in batch.orders),
            patience_ms,
            patience_ms,
            encode_device(self.device),
            *batch.flow.encode(),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Receiver:
    """A receiver that is armed."""

    shell: Shell
    batch: Batch
    post: Post
    command: RunningCommand

    def wait(self, deadline: Deadline) -> ArrivalReport:
        """What arrived, once all is there or nothing more will come."""
        done = self.command.wait(deadline).require_success()
        return parse_arrivals(done.stdout)

    def finish(self, settle_ms: int, deadline: Deadline) -> None:
        """Nothing more is sent: end the wait once nothing has come for `settle_ms`.

        A receiver that has all it wanted says so by itself, and needs no order.
        """
        if self.command.speaks(deadline.at_most(ORDINARY_LAG_S)):
            return
        order = self.post.encode(self.batch, Op.FINISH, settle_ms)
        self.shell.run_script(FINISH, escape(order), deadline=deadline).require_success()


@contextmanager
def armed(shell: Shell, batch: Batch, post: Post, deadline: Deadline) -> Iterator[Receiver]:
    """A receiver for a batch at a device of a node; send when the context has been entered.

    It takes the batch's packets away from the node's stack, and waits for them until it is told
    to finish: how long they may be on their way only the sender knows. Raises CommandFailed with
    the module's reason when it refuses.
    """
    halves = secrets.token_hex(NONCE_BYTES), secrets.token_hex(NONCE_BYTES)
    patience_ms = int(1000 * deadline.remaining_s) + GRACE_MS
    order = escape(post.encode(batch, Op.ARM, patience_ms))
    with shell.start_script(RECEIVE, order, *halves, deadline=deadline) as command:
        _wait_until_armed(shell, command, "".join(halves), deadline)
        yield Receiver(shell=shell, batch=batch, post=post, command=command)


def escape(order: bytes) -> str:
    """Bytes as a format of printf: a command that is started has no standard input of ours."""
    return "".join(f"\\{byte:03o}" for byte in order)


def _wait_until_armed(
    shell: Shell, command: RunningCommand, nonce: str, deadline: Deadline
) -> None:
    ready = f"READY {nonce}".encode()
    for _ in range(STRAY_LINES_MAX):
        if command.read_line(deadline).strip() == ready:
            return
    raise LabError(f"{shell.where}: the receiver did not say that it is armed")
