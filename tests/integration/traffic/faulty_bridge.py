"""A bridge between two devices that does wrong to one packet in many: run as a program in dom0.

It passes packets on as it gets them, checksums unfinished and segments unsplit (PACKET_VNET_HDR),
as netback does. Arguments: fault, every, first device, second device.
"""

from __future__ import annotations

import contextlib
import os
import select
import socket
import sys

ETH_P_ALL = 0x0003
# linux/if_packet.h and linux/socket.h
SOL_PACKET = 263
PACKET_VNET_HDR = 15
SO_RCVBUFFORCE = 33
VNET_HEADER_BYTES = 10
FRAME_MAX_BYTES = 1 << 17
BUFFER_BYTES = 32 << 20
# Behind all headers, inside the payload.
BAD_OFFSET = VNET_HEADER_BYTES + 14 + 100


def open_port(device: str) -> socket.socket:
    """A raw socket on a device, with the header that tells checksum and segmentation."""
    port = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
    port.setsockopt(SOL_PACKET, PACKET_VNET_HDR, 1)
    # In a user namespace only the ordinary limit can be had: some 90 packets.
    with contextlib.suppress(PermissionError):
        port.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, BUFFER_BYTES)
    port.bind((device, 0))
    return port


def harm(fault: str, frame: bytearray) -> list[bytes]:
    """The frames that go on instead of the one that was chosen."""
    match fault:
        case "drop":
            return []
        case "duplicate":
            return [bytes(frame), bytes(frame)]
        case "corrupt":
            if len(frame) > BAD_OFFSET:
                frame[BAD_OFFSET] ^= 0xFF
            return [bytes(frame)]
        case _:
            return [bytes(frame)]


def main() -> None:
    """Pass packets both ways until killed; harm those towards the second device."""
    fault, every = sys.argv[1], int(sys.argv[2])
    first, second = map(open_port, sys.argv[3:5])
    other = {first: second, second: first}
    counted = 0
    late: list[bytes] = []
    os.write(sys.stdout.fileno(), b"ready\n")
    while True:
        for port in select.select([first, second], [], [])[0]:
            frame, address = port.recvfrom(FRAME_MAX_BYTES)
            if address[2] == socket.PACKET_OUTGOING:
                continue
            frames = [frame]
            if port is first:
                counted += 1
                if counted % every == 0:
                    frames = harm(fault, bytearray(frame))
                    if fault == "reorder":
                        late, frames = frames, []
                else:
                    frames, late = [frame, *late], []
            for each in frames:
                other[port].send(each)


if __name__ == "__main__":
    main()
