"""Settings of a device out of what programs print, and the commands between two states of it.

The recorded answer is alice's, in the lab `pair`: iproute2 6.1.0 and ethtool 6.1 on Linux 6.1.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from xenlab.errors import MeasurementError
from xenlab.guest.change import Change, moves, touches_features
from xenlab.guest.device_state import (
    DeviceState,
    Feature,
    FeatureState,
    parse_features,
    parse_states,
    split_answer,
)

RECORDED = Path(__file__).parent / "recorded" / "settings-eth0.txt"
COMMANDS = 2


def recorded_state() -> DeviceState:
    answered = split_answer("alice", RECORDED.read_text(), COMMANDS, ["eth0"])
    return parse_states(answered, {"eth0": None})["eth0"]


def test_device_is_read_with_its_features_limits_and_neighbours() -> None:
    state = recorded_state()

    assert (state.mtu_bytes, state.gso_max_size_bytes, state.gso_max_segs) == (1500, 65536, 65535)
    assert state.addresses6 == ("fd78:656e:6c61:1::10/64",)
    assert state.neighbours6 == (
        ("fd78:656e:6c61:1::1", "02:78:6c:09:4a:36"),
        ("fd78:656e:6c61:1::11", "00:16:3e:00:ef:aa"),
    )
    assert state.features["tx-checksum-ipv4"] == FeatureState(wanted=True, active=True, fixed=True)
    # Without checksums there is no segmentation, which nobody asked to be off.
    assert state.features["tx-tcp6-segmentation"] == FeatureState(
        wanted=True, active=False, fixed=False
    )
    assert state.active(Feature.CHECKSUM) == ("tx-checksum-ipv4",)
    assert state.changeable(Feature.CHECKSUM) == ("tx-checksum-ipv6",)


def test_each_command_has_an_answer_with_its_refusal() -> None:
    answered = split_answer("alice", RECORDED.read_text(), COMMANDS, ["eth0"])

    assert answered.commands == ("refused: Error: mtu greater than device maximum.", "")


def test_what_was_not_read_again_is_as_it_was_known() -> None:
    known = recorded_state()
    links, *_ = RECORDED.read_text().partition('\n==\n[{"dst"')
    text = links.split("==\n")[1]

    answered = split_answer("alice", f"==\n{text}\n==\n", 0, [])

    assert parse_states(answered, {"eth0": known}) == {"eth0": known}
    with pytest.raises(MeasurementError, match="nobody read the features of eth0"):
        parse_states(answered, {"eth0": None})
    with pytest.raises(MeasurementError, match="alice has no device eth9"):
        parse_states(answered, {"eth9": known})


@pytest.mark.parametrize("text", ["", "==\n[]\n", "==\nno json\n==\n\n", "one\ntwo\n==\n[]\n==\n"])
def test_answer_that_lacks_something_is_refused(text: str) -> None:
    with pytest.raises(MeasurementError):
        split_answer("alice", text, 0, [])


def test_device_without_features_is_not_one_with_all_of_them_off() -> None:
    with pytest.raises(MeasurementError, match="told of no feature"):
        parse_features("alice eth0", ["Cannot get device feature names: No such device"])


def test_nothing_is_done_where_nothing_differs() -> None:
    state = recorded_state()

    assert list(moves(state, state)) == []


def test_features_go_before_numbers_and_are_put_back_one_by_one() -> None:
    base = recorded_state()
    change = Change(
        device="eth0", features={Feature.SCATTER: False, Feature.TSO: False},
        gso_max_size_bytes=4096,
    )  # fmt: skip

    wanted = change.apply(base)

    off = "tx-scatter-gather off tx-tcp-segmentation off tx-tcp6-segmentation off"
    assert sorted(next(moves(base, wanted)).split()[3::2]) == sorted(off.split()[::2])
    assert list(moves(base, wanted))[1:] == ["ip link set dev eth0 gso_max_size 4096"]
    assert list(moves(wanted, base))[1:] == ["ip link set dev eth0 gso_max_size 65536"]
    assert touches_features(base, wanted)
    assert not touches_features(base, replace(base, mtu_bytes=9000))


def test_ipv6_that_a_small_mtu_took_away_is_put_back_behind_it() -> None:
    base = recorded_state()
    small = replace(base, mtu_bytes=576, addresses6=(), neighbours6=())

    assert list(moves(base, replace(base, mtu_bytes=576))) == ["ip link set dev eth0 mtu 576"]
    assert list(moves(small, base)) == [
        "ip link set dev eth0 mtu 1500",
        "ip addr replace fd78:656e:6c61:1::10/64 dev eth0 nodad",
        "ip neigh replace fd78:656e:6c61:1::1 lladdr 02:78:6c:09:4a:36 nud permanent dev eth0",
        "ip neigh replace fd78:656e:6c61:1::11 lladdr 00:16:3e:00:ef:aa nud permanent dev eth0",
    ]


def test_what_a_device_did_not_take_is_told_with_the_reason() -> None:
    state = recorded_state()
    change = Change(device="eth0", features={Feature.CHECKSUM: False}, mtu_bytes=65536)

    assert list(change.unmet(state)) == [
        "eth0 has tx-checksum-ipv4 on, which it cannot change",
        "eth0 has mtu_bytes 1500, not 65536",
    ]
    assert list(Change(device="eth0", features={Feature.TSO: True}).unmet(state)) == []
    off = Change(device="eth0", features={Feature.TSO: True})
    none = {
        part: FeatureState(wanted=True, active=False, fixed=False) for part in Feature.TSO.parts
    }
    assert list(off.unmet(replace(state, features={**state.features, **none}))) == [
        "eth0 has tso off"
    ]
