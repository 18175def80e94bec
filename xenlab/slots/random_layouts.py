"""Random layouts: from a seed, the same endless stream of layouts, at home on every edge."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from random import Random
from typing import TypeAlias, TypeVar

from xenlab.errors import InputError
from xenlab.slots.layout import PAGE_BYTES, Checksum, Frag, Layout, Protocol
from xenlab.slots.limits import LEGACY_SLOTS, MIN_MAX_SKB_FRAGS, WIRE_MAX_BYTES
from xenlab.slots.worst import worst_slots

# Where in its page a buffer begins: page ends with less than an Ethernet header left or just
# enough, first slots around the 128 bytes that netback copies, heads around its own page's end.
OFFSETS = (0, 1, 63, 64, 65, 3967, 3968, 3969, *range(4080, PAGE_BYTES))
SIZES = (1, 2, 13, 14, 127, 128, 129, 4031, 4032, 4033, 4095, 4096, 4097, 4098)
SEGMENT_SIZES = (48, 536, 1220, 1440, 1448, 8948)
# Both sides of every limit: the frontend's, the backend's and the fatal one.
NEAR_LIMITS = range(LEGACY_SLOTS - 2, LEGACY_SLOTS + 6)
MAX_EMPTY_FRAGS = 3
# Random.random: from 0 up to, not including, 1.
Chance: TypeAlias = Callable[[], float]
Choice = TypeVar("Choice")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mix:
    """What a stream may hold.

    `least_slots` and `most_slots` bound the slots of the buffers that are not empty; empty frags
    may count some more. `headers_fit` keeps all headers in the linear part.
    """

    least_slots: int = 1
    most_slots: int = worst_slots(WIRE_MAX_BYTES, MIN_MAX_SKB_FRAGS)
    max_frags: int = MIN_MAX_SKB_FRAGS
    max_order: int = 5
    max_length_bytes: int = WIRE_MAX_BYTES
    protocols: tuple[Protocol, ...] = tuple(Protocol)
    gso: bool = True
    empty_frags: bool = True
    headers_fit: bool = True


def widest_mix(max_frags: int) -> Mix:
    """All layouts that a kernel of so many frags an skb can send."""
    return Mix(max_frags=max_frags, most_slots=worst_slots(WIRE_MAX_BYTES, max_frags))


def random_layouts(seed: int, mix: Mix | None = None) -> Iterator[Layout]:
    """Layouts without end; the same seed and mix give the same ones.

    All chance comes from Random.random(), the one method whose values Python promises to keep.
    """
    mix = mix or Mix()
    chance = Random(seed).random  # noqa: S311 (it must be repeatable, not secret)
    while True:
        yield _draw(chance, mix)


def _between(chance: Chance, least: int, most: int) -> int:
    return least + int(chance() * (most - least + 1))


def _among(chance: Chance, choices: Sequence[Choice]) -> Choice:
    return choices[int(chance() * len(choices))]


def _draw(chance: Chance, mix: Mix) -> Layout:
    protocol = _among(chance, mix.protocols)
    head_bytes = protocol.header_bytes if mix.headers_fit else 1
    shares = _share_slots(chance, _wanted_slots(chance, mix), head_bytes, mix)
    linear, *stretches = _stretches(chance, shares, head_bytes, mix)
    frags = [_frag(chance, offset, size, mix) for offset, size in stretches]
    if mix.empty_frags and chance() < 1 / 8:
        _add_empty(chance, frags, mix)
    linear_offset_bytes, linear_bytes = linear
    payload_bytes = linear_bytes + sum(size for _, size in stretches) - protocol.header_bytes
    gso_size_bytes = 0
    if mix.gso and protocol in {Protocol.TCP4, Protocol.TCP6} and chance() < 1 / 2:
        gso_size_bytes = _segment_size(chance, payload_bytes)
    plain = not gso_size_bytes and chance() < 1 / 8
    return Layout(
        linear_bytes=linear_bytes,
        linear_offset_bytes=linear_offset_bytes,
        frags=tuple(frags),
        gso_size_bytes=gso_size_bytes,
        protocol=protocol,
        checksum=Checksum.NONE if plain else Checksum.PARTIAL,
    )


def _wanted_slots(chance: Chance, mix: Mix) -> int:
    """Each number of slots as often as any other, and a quarter of all near the limits."""
    slots = _between(chance, mix.least_slots, mix.most_slots)
    near = _among(chance, NEAR_LIMITS)
    return near if chance() < 1 / 4 and mix.least_slots <= near <= mix.most_slots else slots


def _share_slots(chance: Chance, wanted: int, head_bytes: int, mix: Mix) -> list[int]:
    """How many slots the linear part and each frag take, so that all of it fits the length.

    A second slot costs a buffer one byte, each further one 4096; bytes for all second slots
    stay reserved until they are taken.
    """
    free_bytes = mix.max_length_bytes - head_bytes
    frag_slots = 1 << mix.max_order
    enough = _enough_buffers(wanted, free_bytes, mix.max_frags, astride=frag_slots > 1)
    shares = [1] * _among(chance, enough)
    singles = len(shares) if frag_slots > 1 else 1
    free_bytes -= len(shares) + singles
    for _ in range(wanted - len(shares)):
        place = int(chance() * len(shares))
        if shares[place] == frag_slots:
            place = 0
        if shares[place] > 1 and singles and (free_bytes < PAGE_BYTES or chance() < 1 / 2):
            place = _among(chance, [at for at, share in enumerate(shares) if share == 1])
        if shares[place] == 1:
            singles -= 1
        else:
            free_bytes -= PAGE_BYTES
        shares[place] += 1
    return shares


@lru_cache(maxsize=1024)
def _enough_buffers(
    wanted: int, free_bytes: int, max_frags: int, *, astride: bool
) -> tuple[int, ...]:
    """With how many buffers the wanted slots fit into the bytes that are free.

    Without `astride` no frag reaches into a second page, and the linear part takes the rest.
    """
    enough = []
    for buffers in range(1, min(wanted, 1 + max_frags) + 1):
        cheap = 2 * buffers if astride else 1 + buffers
        if cheap + max(0, free_bytes - cheap) // PAGE_BYTES >= wanted:
            enough.append(buffers)
    if not enough:
        raise InputError(f"no layout of {wanted} slots fits {free_bytes} bytes behind its headers")
    return tuple(enough)


def _stretches(
    chance: Chance, shares: list[int], head_bytes: int, mix: Mix
) -> list[tuple[int, int]]:
    """Offset in the page and size that make just these slots; the linear part comes first."""
    least = [1 if share == 1 else 2 + (share - 2) * PAGE_BYTES for share in shares]
    least[0] = max(least[0], head_bytes)
    spare_bytes = mix.max_length_bytes - sum(least)
    stretches = []
    for share, least_bytes in zip(shares, least, strict=True):
        end_bytes = share * PAGE_BYTES
        size_bytes = _pick(chance, SIZES, least_bytes, min(end_bytes, least_bytes + spare_bytes))
        spare_bytes -= size_bytes - least_bytes
        first = max(0, end_bytes - PAGE_BYTES - size_bytes + 1)
        last = min(PAGE_BYTES - 1, end_bytes - size_bytes)
        stretches.append((_pick(chance, OFFSETS, first, last), size_bytes))
    return stretches


def _pick(chance: Chance, edges: Sequence[int], least: int, most: int) -> int:
    """A number between both: one of them, one of the edges between them, or any."""
    match int(chance() * 4):
        case 0:
            return least
        case 1:
            return most
        case 2:
            inside = edges[bisect_left(edges, least) : bisect_right(edges, most)]
            return _among(chance, inside or (least,))
        case _:
            return _between(chance, least, most)


def _frag(chance: Chance, offset_bytes: int, size_bytes: int, mix: Mix) -> Frag:
    """The stretch in a page of some order that holds it, anywhere in it."""
    pages = max(1, -(-(offset_bytes + size_bytes) // PAGE_BYTES))
    order = _between(chance, (pages - 1).bit_length(), mix.max_order)
    page = _between(chance, 0, (1 << order) - pages)
    return Frag(order=order, offset_bytes=page * PAGE_BYTES + offset_bytes, size_bytes=size_bytes)


def _add_empty(chance: Chance, frags: list[Frag], mix: Mix) -> None:
    """Frags of no bytes among the others, at a page's start or inside it."""
    room = mix.max_frags - len(frags)
    for _ in range(min(room, _between(chance, 1, MAX_EMPTY_FRAGS))):
        offset_bytes = _among(chance, (0, PAGE_BYTES - 1, _among(chance, OFFSETS)))
        empty = _frag(chance, offset_bytes, 0, mix)
        frags.insert(_between(chance, 0, len(frags)), empty)


def _segment_size(chance: Chance, payload_bytes: int) -> int:
    """A segment size that cuts the payload at least once; 0 if there is too little of it."""
    fitting = SEGMENT_SIZES[: bisect_left(SEGMENT_SIZES, payload_bytes)]
    if not fitting:
        return 0
    return _among(chance, (*fitting, _between(chance, fitting[0], fitting[-1])))
