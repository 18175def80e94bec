"""The sending end: a batch into /dev/xlcompose, and the record of each packet out of it."""

from __future__ import annotations

import gzip

from xenlab.traffic.composer.batch import Batch
from xenlab.traffic.composer.module import REFUSAL
from xenlab.traffic.composer.results import SendReport, parse_sent
from xenlab.transport.shell import Shell
from xenlab.waiting import Deadline

# Each byte is decrypted by two emulated SSH servers on its way to a domU, which costs far more than
# to unpack what is half as long.
GZIP_LEVEL = 1

# The write that brings the last byte returns when the batch is through.
SEND = f"""
[ -c /dev/xlcompose ] && exec 3<>/dev/xlcompose || exit 1
busybox gunzip -c >&3 || {{ cat {REFUSAL} >&2; exit 1; }}
exec cat <&3
"""


def send_batch(shell: Shell, batch: Batch, deadline: Deadline) -> SendReport:
    """Send all of a batch from a node; returns when its skbs have come back, or drain_ms later.

    Raises CommandFailed with the module's reason when it refuses the batch, and MeasurementError
    when its answer is not to be understood.
    """
    packed = gzip.compress(batch.encode(), GZIP_LEVEL)
    done = shell.run_script(SEND, deadline=deadline, stdin=packed).require_success()
    return parse_sent(done.stdout)
