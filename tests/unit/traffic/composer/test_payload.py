"""The payload is a function of seed, id and index alone, and no two packets share it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from xenlab.traffic.composer.payload import build_pattern, build_payload

WORDS = st.integers(min_value=0, max_value=2**64 - 1)


@given(seed=WORDS, packet_id=WORDS, length=st.integers(0, 300), shorter=st.integers(0, 300))
def test_shorter_pattern_is_the_beginning_of_a_longer_one(
    seed: int, packet_id: int, length: int, shorter: int
) -> None:
    pattern = build_pattern(seed, packet_id, max(length, shorter))

    assert pattern.startswith(build_pattern(seed, packet_id, min(length, shorter)))


@given(seed=WORDS, packet_id=st.integers(0, 2**63))
def test_next_id_and_next_seed_have_another_pattern(seed: int, packet_id: int) -> None:
    pattern = build_pattern(seed, packet_id, 64)

    assert build_pattern(seed, packet_id + 1, 64) != pattern
    assert build_pattern((seed + 1) % 2**64, packet_id, 64) != pattern


def test_no_word_of_a_packet_comes_twice() -> None:
    pattern = build_pattern(1, 2, 65536)

    assert len({pattern[at : at + 8] for at in range(0, 65536, 8)}) == 8192


def test_mark_stands_in_front_where_there_is_room_for_it() -> None:
    payload = build_payload(1, 0x1122334455667788, 20)

    assert payload[:16] == bytes.fromhex("584c434d 14000000 8877665544332211")
    assert payload[16:] == build_pattern(1, 0x1122334455667788, 20)[16:]
    assert build_payload(1, 7, 15) == build_pattern(1, 7, 15)
