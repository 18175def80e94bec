"""Names and numbers that nobody wrote down: bridges, MACs and addresses, the same every time.

No number depends on the lab's name or on chance, so the same topology gives the same checkpoint.
Labs cannot meet: their bridges are inside their machines.
"""

from __future__ import annotations

import hashlib
from collections.abc import Container
from dataclasses import dataclass
from itertools import count

# Xen's own OUI; like xl, only the lower half of it (libxl_nic.c, libxl__device_nic_setdefault).
XEN_OUI = "00:16:3e"
XEN_MAC_FIRST_BYTE_MASK = 0x7F
BRIDGE_PREFIX = "br-"
# IFNAMSIZ is 16 with the final NUL (include/uapi/linux/if.h).
DEVICE_NAME_MAX_CHARS = 15
BRIDGE_TAG_CHARS = 4
# QEMU's user network, dom0's way out, is 10.0.2.0/24.
IPV4_SITE = "10.77"
IPV4_PREFIX = 24
# RFC 4193: fd and a global id of 40 bits, here the letters `xenla`.
IPV6_SITE = "fd78:656e:6c61"
IPV6_PREFIX = 64
DOM0_HOST = 1
FIRST_DOMU_HOST = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Subnet:
    """The address range of one network; `number` counts the networks from 1.

    Both families show the same digits: 10.77.1.10 is fd78:656e:6c61:1::10.
    """

    number: int

    def address4(self, host: int) -> str:
        """The IPv4 address of a host number."""
        return f"{IPV4_SITE}.{self.number}.{host}"

    def address6(self, host: int) -> str:
        """The IPv6 address of a host number."""
        return f"{IPV6_SITE}:{self.number}::{host}"


def bridge_name(network: str, taken: Container[str]) -> str:
    """`br-<network>`, cut and tagged with a hash of the name where that is too long for Linux."""
    name = BRIDGE_PREFIX + network
    if len(name) <= DEVICE_NAME_MAX_CHARS and name not in taken:
        return name
    stem = name[: DEVICE_NAME_MAX_CHARS - BRIDGE_TAG_CHARS - 1]
    tags = (_digest(f"bridge/{network}/{attempt}").hex() for attempt in count())
    names = (f"{stem}-{tag[:BRIDGE_TAG_CHARS]}" for tag in tags)
    return next(name for name in names if name not in taken)


def mac_address(domu: str, index: int, taken: Container[str]) -> str:
    """The MAC of a domU's vif: Xen's OUI and a hash of the names."""
    digests = (_digest(f"vif/{domu}/{index}/{attempt}") for attempt in count())
    macs = (
        f"{XEN_OUI}:{digest[0] & XEN_MAC_FIRST_BYTE_MASK:02x}:{digest[1]:02x}:{digest[2]:02x}"
        for digest in digests
    )
    return next(mac for mac in macs if mac not in taken)


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()
