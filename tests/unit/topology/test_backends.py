"""Driver domains and routers as a topology asks for them: what arrives, and what is refused."""

from __future__ import annotations

import pytest

from xenlab.errors import InputError
from xenlab.topology.loading import parse_topology
from xenlab.topology.model import Topology


def parse(text: str) -> Topology:
    return parse_topology(text.encode(), file="lab.yaml", name="lab")


def test_backend_is_dom0_unless_said_otherwise() -> None:
    topology = parse("{networks: {l: , m: {backend: n}}, domus: {n: , a: {vifs: [{network: l}]}}}")
    assert [network.backend for network in topology.networks] == ["dom0", "n"]
    assert parse("domus: {a: }").networks[0].backend == "dom0"
    assert not parse("domus: {a: }").domus[0].forwarding


def test_backend_without_a_word_about_vifs_has_none() -> None:
    topology = parse("{networks: {lan: {backend: n}}, domus: {n: , a: }}")
    assert [len(domu.vifs) for domu in topology.domus] == [0, 1]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            "{networks: {lan: {backend: netvn}}, domus: {netvm: , a: }}",
            "1:28: unknown domU `netvn`; did you mean `netvm`?",
        ),
        (
            "{networks: {lan: {backend: zzz}}, domus: {alice: }}",
            "1:28: unknown domU `zzz`; known: `alice`, `dom0`",
        ),
        (
            "{networks: {lan: {backend: n}}, domus: {n: {vifs: [{network: lan}]}}}",
            "1:62: `n` is the backend of `lan`, and on it without a vif",
        ),
        (
            "{networks: {lan: {backend: n}}, domus: {n: {vifs: [{}]}}}",
            "1:52: `n` is the backend of `lan`, and on it without a vif",
        ),
        (
            "{dom0: {forwarding: true}, domus: {a: {forwarding: true}}}",
            "1:52: `dom0` is the router already, and there is one at most",
        ),
        (
            "{domus: {a: {forwarding: true}, b: {forwarding: true}}}",
            "1:49: `a` is the router already, and there is one at most",
        ),
        (
            "{domus: {a: {forwarding: true, vifs: [{features: {gro: on}}]}}}",
            "1:56: a router with GRO puts packets together, and each must be counted",
        ),
        (
            "{networks: {lan: {backend: [n]}}, domus: {n: }}",
            "1:28: `backend`: a list stands where text belongs",
        ),
    ],
)
def test_what_cannot_work_is_refused_with_its_place(text: str, problem: str) -> None:
    with pytest.raises(InputError) as caught:
        parse(text)
    assert caught.value.problems == (f"lab.yaml:{problem}",)


def test_name_that_is_refused_itself_is_not_among_those_to_choose_from() -> None:
    with pytest.raises(InputError) as caught:
        parse("{networks: {lan: {backend: zzz}}, domus: {ALICE: , alice: }}")
    assert caught.value.problems[0] == "lab.yaml:1:28: unknown domU `zzz`; known: `alice`, `dom0`"
    assert "bad name `ALICE`" in caught.value.problems[1]
