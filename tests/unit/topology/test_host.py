"""A host in place of a machine, as a topology asks for it: what arrives, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from xenlab.errors import InputError
from xenlab.plan.model import LabPlan
from xenlab.plan.planner import plan_lab
from xenlab.topology.host_rules import resolve_host
from xenlab.topology.loading import parse_topology
from xenlab.topology.model import HostSpec, Topology

REACHED = "{machine: {ssh: 'root@rack.example:2222', reset: reset-it 3}, domus: {a: }}"


def parse(text: str) -> Topology:
    return parse_topology(text.encode(), file="lab.yaml", name="lab")


def test_host_is_reached_with_what_ssh_takes_and_takes_no_drivers_unless_said_otherwise() -> None:
    assert parse(REACHED).machine.host == HostSpec(
        user="root", host="rack.example", port=2222, reset="reset-it 3"
    )
    allowed = parse("{machine: {ssh: root@h, drivers: on, identity: k}, domus: {a: }}")
    assert allowed.machine.host == HostSpec(
        user="root", host="h", port=22, identity="k", drivers=True
    )


def test_without_a_word_there_is_none() -> None:
    assert parse("domus: {a: }").machine.host is None
    assert '"host"' not in plan_lab(parse("domus: {a: }")).to_json()


def test_plan_of_a_host_is_read_back_and_its_networks_are_far_from_a_machines() -> None:
    plan = plan_lab(parse(REACHED))
    assert LabPlan.from_json(plan.to_json()) == plan
    assert plan.host is not None
    assert plan.host.address == "root@rack.example:2222"
    assert plan.networks[0].address4 == "10.77.128.1"
    assert plan_lab(parse("domus: {a: }")).networks[0].address4 == "10.77.1.1"


def test_paths_are_taken_from_where_the_topology_lies() -> None:
    asked = parse("{machine: {ssh: root@h, identity: keys/rack}, domus: {a: }}")
    host = resolve_host(asked, Path("/labs")).machine.host
    assert host is not None
    assert host.identity == "/labs/keys/rack"
    assert host.known_hosts == str(Path("~/.ssh/known_hosts").expanduser())


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            "{machine: {ssh: rack}, domus: {a: }}",
            "1:17: `ssh`: `rack` is no SSH address; write `root@host` or `root@host:2222`",
        ),
        (
            "{machine: {ssh: '-oProxyCommand=x'}, domus: {a: }}",
            "1:17: `ssh`: `-oProxyCommand=x` is no SSH address; write `root@host`",
        ),
        (
            "{machine: {ssh: me@rack}, domus: {a: }}",
            "1:17: `ssh`: `me` may not use the toolstack; write `root@rack`",
        ),
        (
            "{machine: {ssh: 'root@h:70000'}, domus: {a: }}",
            "1:17: `ssh`: 70000 is no port; there are 1",
        ),
        (
            "{machine: {reset: x}, domus: {a: }}",
            "1:19: `reset` is for a host that is reached by `ssh`",
        ),
        (
            "{machine: {ssh: root@h, iommu: intel}, domus: {a: }}",
            "1:32: the host at `ssh` has booted: leave `iommu` away",
        ),
        (
            "{machine: {ssh: root@h}, dom0: {memory: 1GiB}, domus: {a: }}",
            "1:41: the host at `ssh` has booted: leave `memory` away",
        ),
        (
            "{machine: {ssh: root@h}, dom0: {forwarding: true}, domus: {a: }}",
            "1:45: whether the host at `ssh` routes is not for a lab to change",
        ),
    ],
)
def test_what_cannot_be_is_refused_where_it_stands(text: str, problem: str) -> None:
    with pytest.raises(InputError) as refused:
        parse(text)
    assert f"lab.yaml:{problem}" in str(refused.value)
