"""A batch is refused before it is sent where it cannot be sent, and else keeps every number."""

from __future__ import annotations

import pytest

from tests.unit.traffic.composer.flows import PAGED, PLAIN, batch_of
from xenlab.errors import InputError
from xenlab.slots.layout import Layout, Protocol
from xenlab.traffic.composer import wire
from xenlab.traffic.composer.batch import Order, encode_device
from xenlab.traffic.composer.receiver import Post, escape
from xenlab.traffic.composer.wire import Op, Plant


def test_batch_tells_its_own_length_and_how_many_records() -> None:
    batch = batch_of(Order(layout=PLAIN), Order(layout=PAGED, repeat=5))

    encoded = batch.encode()
    magic, version, header_bytes, total_bytes, records, *_rest = wire.BATCH.unpack_from(encoded)

    assert (magic, version, header_bytes) == (wire.BATCH_MAGIC, wire.VERSION, wire.BATCH.size)
    assert total_bytes == len(encoded)
    assert records == 2
    assert batch.packets == 6


def test_record_keeps_every_number_of_a_layout_and_its_plant() -> None:
    order = Order(layout=PAGED, repeat=7, plant=Plant.CORRUPT, plant_offset_bytes=9)

    encoded = order.encode()

    assert wire.RECORD.unpack_from(encoded) == (70, 4061, 0, 2, 0, 0, 1, 7, 9)
    frags = list(wire.FRAG.iter_unpack(encoded[wire.RECORD.size :]))
    assert frags == [(4095, 4098 | 3 << 24), (9, 0)]


def test_ids_follow_the_orders_repeats_included() -> None:
    batch = batch_of(Order(layout=PLAIN, repeat=2), Order(layout=PAGED))

    assert list(batch.layouts) == [PLAIN, PLAIN, PAGED]


@pytest.mark.parametrize("repeat", [0, wire.IDS_MAX + 1])
def test_too_few_and_too_many_packets_are_refused(repeat: int) -> None:
    with pytest.raises(InputError, match="1 to 65536 packets"):
        batch_of(Order(layout=PLAIN, repeat=repeat))


def test_layout_without_room_for_its_headers_is_refused_with_its_text() -> None:
    short = Layout(linear_bytes=60, linear_offset_bytes=1, protocol=Protocol.TCP6)

    with pytest.raises(InputError, match=r"order 1, `lin=60@1 proto=tcp6`: 60 bytes, not 74"):
        batch_of(Order(layout=PLAIN), Order(layout=short))


@pytest.mark.parametrize("name", ["", "a-device-of-16-b"])
def test_name_that_no_device_can_have_is_refused(name: str) -> None:
    with pytest.raises(InputError, match="1 to 15 bytes"):
        encode_device(name)


def test_receiver_waits_for_all_packets_and_all_their_payload() -> None:
    batch = batch_of(Order(layout=PLAIN, repeat=3), Order(layout=PAGED))

    fields = wire.ARM.unpack_from(Post(device="vif1.0").encode(batch, Op.ARM, 9))

    assert fields[:4] == (wire.ARM_MAGIC, wire.VERSION, wire.ARM.size, Op.ARM)
    assert fields[7:10] == (4, 4, 3 * 18 + 4168 - 42)
    assert fields[10:12] == (9, 9)


def test_order_goes_through_printf_byte_for_byte() -> None:
    assert escape(bytes([0, 37, 92, 255])) == r"\000\045\134\377"
