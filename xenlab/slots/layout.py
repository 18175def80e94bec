"""Layout: how the bytes of one skb lie in memory, and the one line of text that says it.

    lin=LEN@OFF frag=ORDER:OFF:SIZE,... gso=MSS csum=partial|none proto=udp4|udp6|tcp4|tcp6

Only `lin` must stand; the order of the words is free.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from xenlab.errors import InputError
from xenlab.slots.words import Words
from xenlab.topology.wording import did_you_mean, list_names, quote

PAGE_BYTES = 4096
# The buddy allocator's largest block: MAX_ORDER - 1 (include/linux/mmzone.h:28).
MAX_ORDER = 10
# CONFIG_MAX_SKB_FRAGS goes from 17 to 45 (Linux commit 3948b05950fd, in v6.4).
MAX_FRAGS = 45
# skb_shared_info's gso_size is an unsigned short (include/linux/skbuff.h).
MAX_GSO_SIZE_BYTES = 0xFFFF
MAX_LINEAR_BYTES = (PAGE_BYTES << MAX_ORDER) - PAGE_BYTES

ETHERNET_HEADER_BYTES = 14
IPV4_HEADER_BYTES = 20
IPV6_HEADER_BYTES = 40
UDP_HEADER_BYTES = 8
TCP_HEADER_BYTES = 20

KEYS = ("lin", "frag", "gso", "csum", "proto")
EXAMPLE = "lin=42@100 frag=0:4000:96,3:4095:4098"
# Seven digits hold every number of a layout.
NUMBER = "([0-9]{1,7})"
NO_FRAGS: tuple[Frag, ...] = ()
Choice = TypeVar("Choice", bound=StrEnum)


class Checksum(StrEnum):
    """Who computes the transport checksum: the device (CHECKSUM_PARTIAL), or nobody any more."""

    PARTIAL = "partial"
    NONE = "none"


class Protocol(StrEnum):
    """What follows the Ethernet header."""

    UDP4 = "udp4"
    UDP6 = "udp6"
    TCP4 = "tcp4"
    TCP6 = "tcp6"

    @property
    def header_bytes(self) -> int:
        """Ethernet, IP and transport headers, without options."""
        ip = IPV4_HEADER_BYTES if self in {Protocol.UDP4, Protocol.TCP4} else IPV6_HEADER_BYTES
        transport = UDP_HEADER_BYTES if self in {Protocol.UDP4, Protocol.UDP6} else TCP_HEADER_BYTES
        return ETHERNET_HEADER_BYTES + ip + transport


@dataclass(frozen=True, slots=True, kw_only=True)
class Frag:
    """One frag: bytes in a compound page of 2**order pages, counted from the page's start.

    `offset_bytes` may be beyond the first 4096 bytes; `size_bytes` may be 0.
    """

    order: int
    offset_bytes: int
    size_bytes: int

    def __post_init__(self) -> None:
        if problems := tuple(self._problems()):
            raise InputError(*problems)

    def __str__(self) -> str:
        return f"{self.order}:{self.offset_bytes}:{self.size_bytes}"

    def _problems(self) -> Iterator[str]:
        if not 0 <= self.order <= MAX_ORDER:
            yield f"`{self}`: the order is 0 to {MAX_ORDER}, not {self.order}"
            return
        page_bytes = PAGE_BYTES << self.order
        if not 0 <= self.offset_bytes < page_bytes:
            yield (
                f"`{self}`: a page of order {self.order} has offsets 0 to {page_bytes - 1}, "
                f"not {self.offset_bytes}"
            )
        elif self.size_bytes < 0:
            yield f"`{self}`: the size is 0 or more, not {self.size_bytes}"
        elif self.offset_bytes + self.size_bytes > page_bytes:
            yield (
                f"`{self}`: ends at {self.offset_bytes + self.size_bytes}, beyond the "
                f"{page_bytes} bytes of a page of order {self.order}"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """One skb as the driver gets it.

    `linear_bytes` is skb_headlen() from the Ethernet header on, `linear_offset_bytes` where in its
    first page skb->data lies (the linear part may cross pages); `gso_size_bytes` 0 is no GSO.
    """

    linear_bytes: int
    linear_offset_bytes: int
    frags: tuple[Frag, ...] = ()
    gso_size_bytes: int = 0
    protocol: Protocol = Protocol.UDP4
    checksum: Checksum = Checksum.PARTIAL

    def __post_init__(self) -> None:
        if problems := tuple(self._problems()):
            raise InputError(*problems)

    @property
    def length_bytes(self) -> int:
        """skb->len: the linear part and all frags."""
        return self.linear_bytes + sum([frag.size_bytes for frag in self.frags])

    @property
    def frames(self) -> int:
        """How many packets it is on a wire, where GSO ends."""
        if not self.gso_size_bytes:
            return 1
        payload_bytes = self.length_bytes - self.protocol.header_bytes
        return max(1, -(-payload_bytes // self.gso_size_bytes))

    def __str__(self) -> str:
        """The canonical text: words in the order of the module's first lines, defaults left out."""
        words = [f"lin={self.linear_bytes}@{self.linear_offset_bytes}"]
        if self.frags:
            words.append("frag=" + ",".join(map(str, self.frags)))
        if self.gso_size_bytes:
            words.append(f"gso={self.gso_size_bytes}")
        if self.checksum is not Checksum.PARTIAL:
            words.append(f"csum={self.checksum}")
        if self.protocol is not Protocol.UDP4:
            words.append(f"proto={self.protocol}")
        return " ".join(words)

    def _problems(self) -> Iterator[str]:
        word = f"`lin={self.linear_bytes}@{self.linear_offset_bytes}`"
        if not 0 <= self.linear_offset_bytes < PAGE_BYTES:
            offset = self.linear_offset_bytes
            yield f"{word}: the offset is 0 to {PAGE_BYTES - 1}, not {offset}"
        if not 1 <= self.linear_bytes <= MAX_LINEAR_BYTES:
            yield f"{word}: the length is 1 to {MAX_LINEAR_BYTES}, not {self.linear_bytes}"
        if len(self.frags) > MAX_FRAGS:
            yield f"`frag`: {len(self.frags)} frags; no kernel takes more than {MAX_FRAGS}"
        if not 0 <= self.gso_size_bytes <= MAX_GSO_SIZE_BYTES:
            yield f"`gso={self.gso_size_bytes}`: should be 0 (none) to {MAX_GSO_SIZE_BYTES}"


def parse_layout(text: str) -> Layout:
    """The layout that `text` says; InputError with one problem for each wrong word."""
    words = Words.of(text, keys=KEYS, example=EXAMPLE)
    linear_bytes, offset_bytes = words.read("lin", _read_linear, (1, 0))
    frags: tuple[Frag, ...] = words.read("frag", _read_frags, NO_FRAGS)
    gso_size_bytes = words.read("gso", _read_gso, 0)
    protocol = words.read("proto", _choice_reader("proto", Protocol), Protocol.UDP4)
    checksum = words.read("csum", _choice_reader("csum", Checksum), Checksum.PARTIAL)
    try:
        layout = Layout(
            linear_bytes=linear_bytes, linear_offset_bytes=offset_bytes, frags=frags,
            gso_size_bytes=gso_size_bytes, protocol=protocol, checksum=checksum,
        )  # fmt: skip
    except InputError as error:
        words.problems += error.problems
    else:
        if not words.problems:
            return layout
    raise InputError(*words.problems, try_next="xenlab slots --help")


def _read_linear(value: str) -> tuple[int, int]:
    found = re.fullmatch(f"{NUMBER}@{NUMBER}", value)
    if not found:
        raise InputError(f"{quote('lin=' + value)}: should be LENGTH@OFFSET, like `lin=42@100`")
    return int(found[1]), int(found[2])


def _read_frags(value: str) -> tuple[Frag, ...]:
    frags: list[Frag] = []
    problems: list[str] = []
    for place, text in enumerate(value.split(","), 1):
        try:
            frags.append(_read_frag(text))
        except InputError as error:
            problems += [f"frag {place}: {problem}" for problem in error.problems]
    if problems:
        raise InputError(*problems)
    return tuple(frags)


def _read_frag(text: str) -> Frag:
    found = re.fullmatch(f"{NUMBER}:{NUMBER}:{NUMBER}", text)
    if not found:
        raise InputError(f"{quote(text)}: should be ORDER:OFFSET:SIZE, like `3:4095:4098`")
    return Frag(order=int(found[1]), offset_bytes=int(found[2]), size_bytes=int(found[3]))


def _read_gso(value: str) -> int:
    if not re.fullmatch(NUMBER, value):
        raise InputError(f"{quote('gso=' + value)}: should be a segment size, like `gso=1448`")
    return int(value)


def _choice_reader(key: str, choices: type[Choice]) -> Callable[[str], Choice]:
    def read(value: str) -> Choice:
        if value in list(choices):
            return choices(value)
        hint = did_you_mean(value, choices)
        raise InputError(f"{quote(f'{key}={value}')}: not one of {list_names(choices)}{hint}")

    return read
