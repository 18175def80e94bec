"""Ways: flows over the same devices are one picture, the troubled ones first and by themselves."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.unit.report.stored import calm_flow, dropped_flow, silent_flow
from xenlab.measure.flow_sum import sum_accounts
from xenlab.report.way import FLOWS_SHOWN, build_ways


def test_sum_has_the_packets_and_the_losses_of_all() -> None:
    whole = sum_accounts("all", [calm_flow(), silent_flow(), dropped_flow()])

    assert (whole.packets_in, whole.packets_out) == (180, 156)
    assert [passage.lost for passage in whole.passages] == [0, 12, 12]
    assert [passage.silent for passage in whole.passages] == [0, 12, 0]
    assert (whole.payloads[0].sent, whole.payloads[0].missing) == (180, 24)


def test_flows_over_different_devices_have_no_sum() -> None:
    with pytest.raises(ValueError, match="different ways"):
        sum_accounts("all", [calm_flow(), replace(calm_flow(), sink="carol eth0")])


def test_troubled_way_comes_first_and_open_and_the_calm_one_is_closed() -> None:
    calm = replace(calm_flow(), sink="carol eth0")

    first, second = build_ways([calm, silent_flow()], 1.0)

    assert (first.whole.kind, first.whole.state) == ("troubled", "open")
    assert (second.whole.kind, second.whole.state) == ("calm", "")


def test_of_many_troubled_flows_some_are_shown_and_the_rest_is_told() -> None:
    (way,) = build_ways([silent_flow()] * (FLOWS_SHOWN + 3), 1.0)

    assert len(way.flows) == FLOWS_SHOWN
    assert way.left_out == ("3 more troubled flows left out",)


def test_picture_of_the_sum_has_the_branches_of_all_and_not_those_of_their_sum() -> None:
    calm = calm_flow()
    at_sink = replace(calm, payloads=(replace(calm.payloads[0], intact=10, missing=50),))

    (way,) = build_ways([silent_flow(), at_sink], 1.0)

    told = ("12 lost silently between vif1.0 and vif2.0", "50 lost silently behind the last device")
    assert way.whole.words[:2] == told
    assert all(words in way.whole.svg for words in told)
