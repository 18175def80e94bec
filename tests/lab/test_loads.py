"""Loads of pktgen: each rule is seen to fail by a planted fault, and nothing is left of a load."""

from __future__ import annotations

import pytest

from xenlab.errors import CommandFailed
from xenlab.lab import Lab
from xenlab.measure.load import LoadSpec
from xenlab.plan.links import Link
from xenlab.slots.pktgen import PktgenFrame
from xenlab.traffic.pktgen import loading
from xenlab.traffic.plant import PlantKind, planting
from xenlab.verdict.load import judge_load, judge_load_slots
from xenlab.verdict.outcome import Outcome

SPEC = LoadSpec(frame=PktgenFrame(size_bytes=1514), packets=500)
LEFT = "ls /proc/net/pktgen; lsmod | grep pktgen; tc filter show dev eth0 parent ffff:"


@pytest.fixture
def link(opened: Lab) -> Link:
    """From alice to bob: across both vifs and the bridge."""
    return next(
        link for link in opened.plan.links() if (link.source, link.sink) == ("alice", "bob")
    )


def what_is_left(lab: Lab) -> list[str]:
    """Generators, filters and MTUs."""
    asked = {"alice": LEFT, "bob": LEFT, "dom0": f"{LEFT}; cat /sys/class/net/vif*/mtu"}
    return [
        lab.shell(node).run(["sh", "-c", script], deadline=lab.budget(30)).text
        for node, script in asked.items()
    ]


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        (PlantKind.SILENT_DROP, "silent loss between vif"),
        (PlantKind.DROP, "filter_drops"),
        (PlantKind.DUPLICATE, "packets more behind"),
    ],
)
def test_fault_on_the_way_is_found_at_its_place(
    opened: Lab, link: Link, kind: PlantKind, reason: str
) -> None:
    with loading(opened, link) as loader, planting(opened, link, kind, every=100):
        verdict = judge_load(loader.run(SPEC))

    assert verdict.outcome is Outcome.FAIL
    assert any(reason in each for each in verdict.reasons), verdict.reasons


def test_packet_whose_head_was_changed_is_not_counted_as_ours(opened: Lab, link: Link) -> None:
    """On the way: the first byte of pktgen's mark, which lies behind 28 bytes of headers."""
    vif = opened.vif("bob", 0)
    change = "action pass random determ pipe 100 action pedit munge offset 28 u8 invert"
    shell = opened.shell("dom0")
    tc = f"modprobe -a act_pedit act_gact; tc qdisc add dev {vif} clsact && tc filter add dev {vif}"
    with loading(opened, link) as loader:
        planted = ["sh", "-c", f"{tc} egress matchall {change}"]
        shell.run(planted, deadline=opened.budget(30)).require_success()
        try:
            verdict = judge_load(loader.run(SPEC))
        finally:
            undo = ["tc", "qdisc", "del", "dev", vif, "clsact"]
            shell.run(undo, deadline=opened.budget(30)).require_success()

    assert verdict.outcome is Outcome.FAIL
    assert verdict.reasons == ("5 packets arrived without pktgen's mark",)


def test_slots_of_somebody_else_are_found_on_the_ring(opened: Lab, link: Link) -> None:
    talk = ["ping", "-q", "-i", "0.002", "-c", "200", "-W", "1", link.sink_address4]
    spec = LoadSpec(frame=PktgenFrame(size_bytes=4031), packets=1000)
    with loading(opened, link) as loader:
        quiet = judge_load_slots(loader.run(spec))
        # Sent during the load or right before it: a load counts all since the last one ended.
        with opened.shell("alice").start(talk, deadline=opened.budget(60)):
            load = loader.run(spec)

    assert quiet.outcome is Outcome.PASS, quiet.reasons
    assert judge_load_slots(load).outcome is Outcome.FAIL
    assert judge_load(load).outcome is Outcome.FAIL


def test_nothing_is_left_of_a_load_that_failed(opened: Lab, link: Link) -> None:
    before = what_is_left(opened)

    with pytest.raises(ZeroDivisionError):
        _fail_under_load(opened, link, before)

    assert what_is_left(opened) == before


def _fail_under_load(lab: Lab, link: Link, before: list[str]) -> None:
    with loading(lab, link) as loader:
        loader.run(SPEC)
        assert what_is_left(lab) != before
        1 / 0  # noqa: B018 (whatever goes wrong)


def test_generator_of_somebody_else_is_left_alone(opened: Lab, link: Link) -> None:
    shell = opened.shell("alice")
    shell.run(["modprobe", "pktgen"], deadline=opened.budget(30)).require_success()
    try:
        with pytest.raises(CommandFailed, match="somebody else uses it"), loading(opened, link):
            pass
        still = shell.run(["test", "-e", "/proc/net/pktgen"], deadline=opened.budget(30))
    finally:
        shell.run(["rmmod", "pktgen"], deadline=opened.budget(30)).require_success()

    assert still.status == 0
