"""Settings of devices in a running lab: changed, refused, and put back also behind a failure."""

from __future__ import annotations

from itertools import islice

import pytest

from xenlab.errors import MeasurementError
from xenlab.guest.change import Change
from xenlab.guest.device_state import Feature
from xenlab.guest.settings import open_settings, read_states
from xenlab.lab import Lab
from xenlab.plan.links import DOM0
from xenlab.slots.random_layouts import random_layouts
from xenlab.traffic.layouts import composers_loaded, send_layouts
from xenlab.traffic.limits import limits_of
from xenlab.verdict.layouts import judge_layouts
from xenlab.verdict.outcome import Outcome

BUDGET_S = 60.0
EVERYTHING = {Feature.CHECKSUM: False, Feature.SCATTER: False, Feature.GRO: False}
DEVICES = [("alice", "eth0"), ("dom0", "vif1.0"), ("dom0", "br-lan")]
ALL = {"alice": ["eth0"], "dom0": ["vif1.0", "vif2.0", "br-lan"]}


class Planted(Exception):
    """What goes wrong while settings are changed."""


@pytest.mark.parametrize(("node", "device"), DEVICES)
def test_everything_is_what_it_was_also_behind_a_failure(
    opened: Lab, node: str, device: str
) -> None:
    """An MTU of 576 takes IPv6 off the device: addresses and neighbours have to come back.

    A bridge takes the MTU of a port upon itself, and loses IPv6 too.
    """
    shell, deadline = opened.shell(node), opened.budget(BUDGET_S)
    before = read_states(shell, ALL[node], deadline)
    change = Change(
        device=device, features=EVERYTHING, mtu_bytes=576, gso_max_size_bytes=4096, gso_max_segs=7
    )

    def fail() -> None:
        with open_settings(shell, [device], deadline) as settings:
            changed = settings.apply([change], deadline)
            state = changed.states[device]
            assert (state.mtu_bytes, state.gso_max_size_bytes, state.gso_max_segs) == (576, 4096, 7)
            assert not state.active(Feature.SCATTER)
            assert state.addresses6 == ()
            raise Planted

    with pytest.raises(Planted):
        fail()

    assert read_states(shell, ALL[node], opened.budget(BUDGET_S)) == before


def test_what_a_device_refuses_is_told_and_the_next_change_does_not_build_on_it(
    opened: Lab,
) -> None:
    shell, deadline = opened.shell("alice"), opened.budget(BUDGET_S)
    with open_settings(shell, ["eth0"], deadline) as settings:
        refused = settings.apply([Change(device="eth0", mtu_bytes=65536)], deadline).refused
        assert refused == (
            "alice: eth0 has mtu_bytes 1500, not 65536: Error: mtu greater than device maximum.",
        )
        (fixed,) = settings.apply(
            [Change(device="eth0", features={Feature.CHECKSUM: False})], deadline
        ).refused
        assert fixed == "alice: eth0 has tx-checksum-ipv4 on, which it cannot change"
        after = settings.apply([Change(device="eth0", gso_max_size_bytes=8192)], deadline)
        assert after.refused == ()
        assert after.states["eth0"].features == settings.base["eth0"].features


def test_layouts_are_judged_by_what_is_set_on_the_device_that_sends_them(opened: Lab) -> None:
    """A small gso_max_size and no scatter-gather drop packets, as the model says of them."""
    ends = ("alice", DOM0)
    link = next(each for each in opened.plan.links() if (each.source, each.sink) == ends)
    layouts = tuple(islice(random_layouts(7), 200))
    shell, deadline = opened.shell("alice"), opened.budget(10 * BUDGET_S)
    small = Change(device="eth0", gso_max_size_bytes=8192)
    flat = Change(device="eth0", features={Feature.SCATTER: False})
    with composers_loaded(opened, link), open_settings(shell, ["eth0"], deadline) as settings:
        plain = judge_layouts(send_layouts(opened, link, layouts, seed=7))
        assert settings.apply([small], deadline).refused == ()
        verdicts = [judge_layouts(send_layouts(opened, link, layouts, seed=8))]
        assert settings.apply([flat], deadline).refused == ()
        verdicts.append(judge_layouts(send_layouts(opened, link, layouts, seed=9)))
        unknown = Change(device="eth0", features={Feature.TSO: False})
        assert settings.apply([unknown], deadline).refused == ()
        with pytest.raises(MeasurementError, match="ethtool -K eth0 tso on"):
            limits_of(opened, link)

    assert plain.outcome is Outcome.PASS, plain.reasons
    for verdict in verdicts:
        assert verdict.outcome is Outcome.PASS, verdict.reasons
        assert verdict.numbers["must_be_dropped"] > plain.numbers["must_be_dropped"]
