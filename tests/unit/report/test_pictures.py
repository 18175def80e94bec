"""Pictures: where packets went, and how many slots they took, against golden files."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.unit.report.stored import (
    calm_flow,
    damaged_flow,
    doubled_flow,
    dropped_flow,
    histogram,
    silent_flow,
)
from xenlab.measure.flow_account import FlowAccount
from xenlab.report import flow_picture, upright_picture
from xenlab.report.branches import find_branches
from xenlab.report.slot_chart import draw_histogram, is_logarithmic

GOLDEN = Path(__file__).parent / "golden"
PICTURES: dict[str, Callable[[], str]] = {
    "flow-calm": lambda: draw_flow(calm_flow()),
    "flow-silent": lambda: draw_flow(silent_flow()),
    "flow-dropped": lambda: draw_flow(dropped_flow()),
    "flow-damaged": lambda: draw_flow(damaged_flow()),
    "flow-doubled": lambda: draw_flow(doubled_flow()),
    "upright-silent": lambda: draw_upright_flow(silent_flow()),
    "upright-dropped": lambda: draw_upright_flow(dropped_flow()),
    "slots": lambda: draw_histogram(histogram()),
}


def draw_flow(account: FlowAccount) -> str:
    """The picture of one account with its own branches."""
    return flow_picture.draw_flow(account, find_branches(account))


def draw_upright_flow(account: FlowAccount) -> str:
    """The same for a narrow screen."""
    return upright_picture.draw_upright_flow(account, find_branches(account))


def shapes(svg: str, kind: str) -> list[ET.Element]:
    """The elements of one class."""
    return [each for each in ET.fromstring(svg).iter() if each.get("class") == kind]  # noqa: S314


def words(svg: str) -> list[str]:
    return [each.text or "" for each in ET.fromstring(svg).iter("text")]  # noqa: S314 (our own)


@pytest.mark.parametrize("name", PICTURES)
def test_picture_is_as_it_was_when_somebody_looked_at_it(name: str) -> None:
    assert PICTURES[name]() == (GOLDEN / f"{name}.svg").read_text(encoding="utf-8").rstrip("\n")


def test_flow_without_trouble_has_no_branch() -> None:
    svg = draw_flow(calm_flow())

    assert not [kind for kind in ("loss", "loss silent", "damaged", "surplus") if shapes(svg, kind)]
    assert words(svg).count("60") == 5
    assert "100 % intact" in words(svg)


def test_silent_loss_branches_off_hatched_and_says_between_which_hops() -> None:
    svg = draw_flow(silent_flow())

    (branch,) = shapes(svg, "loss silent")
    assert branch.findtext("title") == "12 lost silently between vif1.0 and vif2.0"
    assert "80 % intact" in words(svg)


def test_counted_drop_branches_off_with_the_name_of_its_counter() -> None:
    svg = draw_flow(dropped_flow())

    (branch,) = shapes(svg, "loss")
    assert branch.findtext("title") == "12 dropped at bob eth0 rx_errors"
    assert not shapes(svg, "loss silent")


def test_loss_behind_the_last_device_is_drawn_there() -> None:
    calm = calm_flow()
    payload = replace(calm.payloads[0], intact=59, missing=1)

    svg = draw_flow(replace(calm, payloads=(payload,)))

    assert "1 lost silently behind the last device" in words(svg)


def test_loss_in_front_of_the_first_device_is_drawn_there() -> None:
    svg = draw_flow(replace(calm_flow(), wire_packets=63))

    assert "3 lost silently before the device" in words(svg)


def test_upright_picture_has_the_same_branches() -> None:
    svg = draw_upright_flow(silent_flow())

    (branch,) = shapes(svg, "loss silent")
    assert branch.findtext("title") == "12 lost silently between vif1.0 and vif2.0"
    assert {"12 lost silently", "between vif1.0 and vif2.0", "80 % intact"} <= set(words(svg))
    assert shapes(draw_upright_flow(damaged_flow()), "damaged")
    assert "+2 from nowhere" in words(draw_upright_flow(doubled_flow()))


def test_worse_of_datagrams_and_stream_is_what_the_sink_says() -> None:
    calm = calm_flow()
    stream = replace(calm.payloads[0], unit="stream bytes", sent=10**6, intact=10**6)
    half = replace(calm.payloads[0], intact=30, missing=30)

    assert "50 % intact" in words(draw_flow(replace(calm, payloads=(half, stream))))


def test_damaged_payload_and_packets_from_nowhere_have_shapes_of_their_own() -> None:
    assert shapes(draw_flow(damaged_flow()), "damaged")
    assert "+2" in words(draw_flow(doubled_flow()))


def test_one_packet_of_a_million_is_still_to_be_seen() -> None:
    calm = calm_flow()
    packets = (1_000_000, 1_000_000, 999_999, 999_999)
    stations = tuple(
        replace(each, packets=count) for each, count in zip(calm.stations, packets, strict=True)
    )
    passages = (calm.passages[0], replace(calm.passages[1], lost=1, silent=1), calm.passages[2])

    svg = draw_flow(replace(calm, wire_packets=0, stations=stations, passages=passages))

    assert len(shapes(svg, "loss silent")) == 1


def test_flow_whose_devices_all_vanished_is_drawn_from_socket_to_socket() -> None:
    gone: FlowAccount = replace(calm_flow(), stations=(), passages=(), vanished=("alice eth0",))

    assert "socket" in words(draw_flow(gone))


def test_every_limit_of_stock_drivers_is_marked_and_every_fate_has_its_class() -> None:
    svg = draw_histogram(histogram())

    marked = [text.split(":")[0] for text in words(svg) if ":" in text]
    assert marked == ["17", "18", "19", "20", "22"]
    for fate in ("intact", "linearised", "overflow", "lost", "vif-disabled"):
        assert shapes(svg, f"fate-{fate}")


def test_heights_are_logarithmic_only_where_a_bar_would_not_be_seen() -> None:
    whole = histogram()
    assert is_logarithmic(whole)
    few = replace(whole, counts=tuple(each for each in whole.counts if each.packets > 100))
    assert not is_logarithmic(few)
    assert "heights are logarithmic" not in words(draw_histogram(few))


def test_name_that_a_guest_chose_is_only_words() -> None:
    hostile = "x\x1b]52;c;aGk=\x07<script>alert(1)</script>"
    svg = draw_flow(replace(dropped_flow(), subject=hostile))

    assert "<script" not in svg
    assert "\x1b" not in svg
    ET.fromstring(svg)  # noqa: S314 (it must be well formed)
