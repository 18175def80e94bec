"""The kernel log of a host, as /dev/kmsg gives it, in the form that a console has."""

from __future__ import annotations

import re

US_PER_S = 1_000_000
# Documentation/ABI/testing/dev-kmsg: priority, sequence, microseconds, flags; text. Lines that
# begin with a blank are of a record's dictionary.
RECORD = re.compile(rb"(?P<priority>\d+),\d+,(?P<us>\d+),[^;]*;(?P<text>.*)")


def render_kernel_log(records: bytes, since_us: int) -> bytes:
    """The records behind a time, each as the line that a serial console would show.

    A record that is not whole yet is left away.
    """
    whole = records[: records.rfind(b"\n") + 1]
    lines = []
    for line in whole.splitlines():
        record = RECORD.match(line)
        if record is None or int(record["us"]) <= since_us:
            continue
        seconds, rest_us = divmod(int(record["us"]), US_PER_S)
        lines.append(b"[%5d.%06d] %b\n" % (seconds, rest_us, record["text"]))
    return b"".join(lines)
