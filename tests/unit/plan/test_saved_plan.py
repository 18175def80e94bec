"""A plan goes to JSON and comes back whole; anything else is refused, never guessed at."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xenlab.errors import InputError, LabError
from xenlab.plan.model import Dom0Iommu, DomUKind, LabPlan
from xenlab.plan.planner import plan_lab
from xenlab.topology.loading import load_topology, shipped_topologies

PAIR = plan_lab(load_topology("pair"))


def spoil(change: Callable[[dict[str, Any]], object]) -> str:
    document = json.loads(PAIR.to_json())
    change(document["plan"])
    return json.dumps(document)


def test_every_shipped_plan_comes_back_equal() -> None:
    for topology in shipped_topologies():
        plan = plan_lab(topology)
        read = LabPlan.from_json(plan.to_json())
        assert read == plan
        assert all(isinstance(domu.kind, DomUKind) for domu in read.domus)
        assert read.to_json() == plan.to_json()


def test_what_came_later_is_written_only_where_it_is_used() -> None:
    plain = json.loads(PAIR.to_json())["plan"]
    assert not {"interrupt_remapping", "iommu_passthrough"} & plain["machine"].keys()
    strict = replace(PAIR, dom0=replace(PAIR.dom0, iommu=Dom0Iommu.STRICT))
    assert json.loads(strict.to_json())["plan"]["dom0"]["iommu"] == "strict"
    assert LabPlan.from_json(strict.to_json()) == strict
    assert strict.content_digest() != PAIR.content_digest()


def test_digests_differ_where_plans_differ() -> None:
    digests = {plan_lab(topology).content_digest() for topology in shipped_topologies()}
    assert len(digests) == len(shipped_topologies())
    assert all(len(digest) == 64 for digest in digests)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda plan: plan.pop("xen"), "plan: missing or unknown: `xen`"),
        (lambda plan: plan.update(extra=1), "plan: missing or unknown: `extra`"),
        (
            lambda plan: plan["dom0"].update(iommu="lax"),
            "plan.dom0.iommu: `lax` is unknown",
        ),
        (lambda plan: plan.update(domus={}), "plan.domus: `dict` instead of a list"),
        (lambda plan: plan.update(dom0=[]), "plan.dom0: `list` instead of a mapping"),
        (lambda plan: plan["dom0"].update(vcpus=True), "plan.dom0.vcpus: `true` is not int"),
        (lambda plan: plan["dom0"].update(vcpus="2"), "plan.dom0.vcpus: `2` is not int"),
        (lambda plan: plan["dom0"].update(vcpus=2.0), "plan.dom0.vcpus: `2.0` is not int"),
        (lambda plan: plan["dom0"].update(forwarding=0), "plan.dom0.forwarding: `0` is not bool"),
        (lambda plan: plan["machine"].update(accel="xen"), "plan.machine.accel: `xen` is unknown"),
        (lambda plan: plan["machine"].update(accel=[]), "plan.machine.accel: `[]` is unknown"),
        (lambda plan: plan["xen"].update(version=4), "plan.xen.version: `4` is not str"),
        (lambda plan: plan["domus"][1].update(name=None), "plan.domus[1].name: an empty value"),
        (
            lambda plan: plan["domus"][0]["vifs"][0].update(features=[["tso", True, 1]]),
            "plan.domus[0].vifs[0].features[0]: 3 values instead of 2",
        ),
    ],
)
def test_damage_is_named_with_its_place(
    change: Callable[[dict[str, Any]], object], message: str
) -> None:
    with pytest.raises(LabError) as caught:
        LabPlan.from_json(spoil(change))
    assert message in str(caught.value)


@pytest.mark.parametrize(
    "text",
    ["", "{", "null", "[]", "{}", '{"schema_version": 1}', '{"schema_version": 2, "plan": {}}'],
)
def test_what_is_no_plan_is_refused(text: str) -> None:
    with pytest.raises(LabError):
        LabPlan.from_json(text)


def test_deep_nesting_is_refused() -> None:
    with pytest.raises(LabError):
        LabPlan.from_json("[" * 100_000)


@settings(max_examples=80, deadline=None)
@given(text=st.text(max_size=60), at=st.integers(min_value=0), length=st.integers(0, 60))
def test_any_damage_to_the_text_gives_a_plan_or_a_lab_error(
    text: str, at: int, length: int
) -> None:
    saved = PAIR.to_json()
    start = at % len(saved)
    try:
        read = LabPlan.from_json(saved[:start] + text + saved[start + length :])
    except LabError:
        return
    assert isinstance(read, LabPlan)


def test_unknown_node_network_and_kernel_are_guessed() -> None:
    with pytest.raises(InputError, match=r"no domU `alise`; did you mean `alice`\?"):
        PAIR.domu("alise")
    with pytest.raises(InputError, match=r"no network `la` ?.*`lan`"):
        PAIR.network("la")
    with pytest.raises(InputError, match=r"no kernel `sid` \(there are `debian`\)"):
        PAIR.kernel("sid")
    assert PAIR.domu("bob").name == "bob"
    assert PAIR.node_names == ("dom0", "alice", "bob")
