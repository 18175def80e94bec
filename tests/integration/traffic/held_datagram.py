"""A datagram of MSG_ZEROCOPY that is not given back, in a network namespace of its own.

The kernel keeps it for a neighbour whose address nobody tells. Words: what to run, and `error` if
an ICMP error is to come for the datagram meanwhile.
"""

from __future__ import annotations

import socket
import struct
import subprocess
import sys
import time
from pathlib import Path

OWN, NOBODY = "10.0.0.1", "10.0.0.2"
PORT = 9
FLOW = f"udp@{NOBODY}@{PORT}@1@100"
LAYOUT = "lin=42@2 frag=0:0:100 proto=udp4\n"
UNREACHABLE, BY_PORT = 3, 3
SETTING = (
    ("ip", "link", "set", "lo", "up"),
    ("ip", "link", "add", "v0", "type", "veth", "peer", "name", "v1"),
    ("ip", "link", "set", "v0", "up"),
    ("ip", "link", "set", "v1", "up"),
    ("ip", "addr", "add", f"{OWN}/24", "dev", "v0"),
    ("sysctl", "-qw", "net.ipv4.neigh.v0.mcast_solicit=1000"),
)


def await_line(path: str, words: str, deadline_s: float) -> list[str]:
    """The words of the first line that has these in it."""
    while time.monotonic() < deadline_s:
        for line in Path(path).read_text().splitlines():
            if words in line:
                return line.split()
    raise SystemExit(f"{path}: no {words}")


def ip4(protocol: int, body: bytes) -> bytes:
    """A packet of what is sent from here to nobody."""
    head = (0x45, 0, 20 + len(body), 1, 0, 64, protocol, 0)
    return struct.pack("!BBHHHBBH", *head) + socket.inet_aton(OWN) + socket.inet_aton(NOBODY) + body


def checksum(data: bytes) -> int:
    """RFC 1071."""
    words: tuple[int, ...] = struct.unpack(f"!{len(data) // 2}H", data)
    total = sum(words)
    total = (total >> 16) + (total & 0xFFFF)
    return ~(total + (total >> 16)) & 0xFFFF


def send_error(port: int) -> None:
    """Tell the sender at this port that nobody listens."""
    datagram = ip4(socket.IPPROTO_UDP, struct.pack("!HHHH", port, PORT, 108, 0))
    blank = struct.pack("!BBHI", UNREACHABLE, BY_PORT, 0, 0) + datagram
    head = struct.pack("!BBHI", UNREACHABLE, BY_PORT, checksum(blank), 0)
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP) as icmp:
        icmp.sendto(head + datagram, (OWN, 0))


def main() -> None:
    *argv, with_error = sys.argv[1:]
    for command in SETTING:
        subprocess.run(command, check=True)
    deadline_s = time.monotonic() + 20
    with subprocess.Popen([*argv, FLOW], stdin=subprocess.PIPE, text=True) as program:
        assert program.stdin is not None
        program.stdin.write(LAYOUT)
        program.stdin.close()
        # It is there once the first datagram waits for it.
        await_line("/proc/net/arp", NOBODY, deadline_s)
        if with_error == "error":
            local = await_line("/proc/net/udp", f":{PORT:04X} ", deadline_s)[1]
            send_error(int(local.rpartition(":")[2], 16))
        try:
            program.wait(deadline_s - time.monotonic())
        finally:
            program.kill()


if __name__ == "__main__":
    main()
