"""Histograms of trace events.

`recorded/hist-*.txt` were read in alice of topology `pair`, Linux 6.1.192, after three pings of
3000 bytes.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from xenlab.errors import MeasurementError
from xenlab.guest.histograms import parse_histograms
from xenlab.measure.readings import Tally

RECORDED = Path(__file__).parent / "recorded"
FREED = (RECORDED / "hist-kfree_skb.txt").read_text()

SUMMED = """
# trigger info: hist:keys=caller.sym:vals=hitcount,n:sort=hitcount:size=1024 [active]
{ caller: [ffffffffc02df2a0] xenvif_rx_copy_flush [xen_netback] } hitcount:  86  n:  1560
{ caller: [ffffffffc02df2b4] xenvif_rx_copy_flush [xen_netback] } hitcount:   4  n:     8
    Dropped: 0
# trigger info: hist:keys=st,flags:vals=hitcount:sort=hitcount:size=1024 if st<0 [active]
{ st: 18446744073709551615, flags:          4 } hitcount:         57
{ st: 18446744073709551615, flags:          0 } hitcount:          3
    Dropped: 7
"""


def test_symbols_are_rows_and_hits_are_told() -> None:
    (found,) = parse_histograms("kfree_skb", FREED.splitlines()).values()

    assert found.dropped == 0
    assert found.table == {
        ("icmp_rcv",): Tally(hits=3),
        ("skb_release_data",): Tally(hits=6),
        ("net_tx_action",): Tally(hits=9),
    }


def test_symbol_of_a_module_is_known_without_it() -> None:
    lines = (RECORDED / "hist-pull.txt").read_text().splitlines()

    found = parse_histograms("pull", lines)["__probe_ret_ip.sym", ""]

    assert found.table == {("xennet_poll",): Tally(hits=9)}


def test_several_histograms_of_one_event_are_told_apart_by_keys_and_condition() -> None:
    found = parse_histograms("many", SUMMED.splitlines())

    assert found["caller.sym", ""].table == {("xenvif_rx_copy_flush",): Tally(hits=90, total=1568)}
    responses = found["st,flags", "st<0"]
    assert responses.table == {("-1", "4"): Tally(hits=57), ("-1", "0"): Tally(hits=3)}
    assert responses.dropped == 7


@pytest.mark.parametrize(
    ("there", "instead"),
    [
        ("hitcount:          3", "hitcount: many"),
        ("{ location: [ffffffff817dab30]", "{ place: [ffffffff817dab30]"),
        ("# trigger info: hist:", "# trigger info: onmax:"),
    ],
)
def test_strange_line_is_refused(there: str, instead: str) -> None:
    assert there in FREED
    with pytest.raises(MeasurementError, match="kfree_skb"):
        parse_histograms("kfree_skb", FREED.replace(there, instead).splitlines())
