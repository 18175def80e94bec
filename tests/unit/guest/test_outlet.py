"""Outlet: a device and files of its node out of one answer.

The recorded parts are alice's, in the lab `pair`: see test_settings.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from xenlab.errors import MeasurementError
from xenlab.guest.agreement import Agreement
from xenlab.guest.device_state import MARK, Feature, FeatureState
from xenlab.guest.outlet import parse_outlet

RECORDED = (Path(__file__).parent / "recorded" / "settings-eth0.txt").read_text()
FEATURES = RECORDED.split(f"{MARK}\n")[-1]
LINK = '[{"ifname":"eth0","gso_max_size":8192,"gso_max_segs":65535}]'
FILES = "/sys/module/xen_netfront/parameters/slots_max:19\n"
ANSWER = f"{FILES}{MARK}\n{LINK}\n{MARK}\n{FEATURES}{MARK}\n35 30\n"


def test_device_and_files_are_read_from_one_answer() -> None:
    outlet, files = parse_outlet("alice eth0", ANSWER, sends=True)

    assert (outlet.gso_max_size_bytes, outlet.gso_max_segs, outlet.has_xdp) == (8192, 65535, False)
    assert outlet.has(Feature.SCATTER)
    assert not outlet.has(Feature.TSO)
    assert outlet.changeable_off(Feature.CHECKSUM4, Feature.CHECKSUM6)
    assert not outlet.changeable_off(Feature.CHECKSUM4)
    assert outlet.agreement == Agreement(offered=35, requested=30)
    assert files.number("/sys/module/xen_netfront/parameters/slots_max") == 19


def test_ends_that_agree_on_nothing_tell_nothing() -> None:
    outlet, _files = parse_outlet("alice eth0", ANSWER.replace("35 30\n", ""), sends=True)

    assert outlet.agreement == Agreement(offered=0, requested=0)


def test_program_on_a_device_is_seen() -> None:
    link = LINK.replace("}]", ',"xdp":{"mode":1,"prog":{"id":7}}}]')

    outlet, files = parse_outlet("bob eth0", f"{MARK}\n{link}\n", sends=False)

    assert outlet.has_xdp
    assert files.files == {}


def test_feature_that_was_not_told_is_neither_on_nor_off() -> None:
    outlet, _files = parse_outlet("bob eth0", f"{MARK}\n{LINK}\n", sends=False)

    with pytest.raises(MeasurementError, match="told nothing of sg"):
        outlet.has(Feature.SCATTER)
    on = FeatureState(wanted=True, active=True, fixed=False)
    assert replace(outlet, features={"tx-scatter-gather": on}).has(Feature.SCATTER)


@pytest.mark.parametrize(
    ("text", "sends"),
    [
        ("", True),
        (f"{MARK}\n{LINK}\n", True),
        (ANSWER, False),
        (f"{MARK}\nnone\n", False),
        (f"{MARK}\n[]\n", False),
        (f'{MARK}\n[{{"ifname":"eth0"}}]\n', False),
        (ANSWER.replace(f"{MARK}\n35 30\n", ""), True),
        (ANSWER.replace("35 30", "35 many"), True),
        (ANSWER.replace("35 30", "35 "), True),
        (f"{MARK}\n{LINK}\n{MARK}\nCannot get device feature names\n{MARK}\n", True),
    ],
)
def test_answer_that_lacks_something_is_no_outlet(text: str, sends: bool) -> None:
    with pytest.raises(MeasurementError):
        parse_outlet("alice eth0", text, sends=sends)
