"""A topology from a stranger: what is made to break out is refused, and shown safely."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xenlab.errors import InputError
from xenlab.plan.model import LabPlan
from xenlab.plan.planner import plan_lab
from xenlab.topology.loading import PROBLEMS_MAX, parse_topology
from xenlab.topology.model import Topology

QUICK = settings(max_examples=120, deadline=None)
HOSTILE_NAMES = [
    "-oProxyCommand=touch canary",
    "$(touch canary)",
    "`touch canary`",
    "; touch canary",
    "../x",
    "a/b",
    "..",
    "x" * 16,
    "x" * 300,
    "a\0b",
    "a\nb",
    "a\n",
    "a b",
    "Alice",
    "álice",
    "al\u0131ce",
    "\u202ealice",
    "alice\u200b",
    "a\x1b[2Jb",
    "1alice",
    "-alice",
    "",
    "'",
    '"',
    "a,b",
    "a=b",
    "dom0",
    "xen",
    "local",
    "machine",
]
HOSTILE_COMMAND_LINES = [
    "quiet\ninit=/bin/sh",
    "quiet\r",
    "a\0b",
    "a\tb",
    "a\x1b[2J",
    "\u202equiet",
    "é",
    'dyndbg="file',
    "quiet -- dom0_mem=1",
    "-- x",
    "x" * 901,
]


def parse_document(document: object) -> Topology:
    return parse_topology(json.dumps(document).encode(), file="lab.yaml", name="lab")


def problems_of_document(document: object) -> tuple[str, ...]:
    with pytest.raises(InputError) as caught:
        parse_document(document)
    return caught.value.problems


def assert_safe(problems: tuple[str, ...]) -> None:
    for problem in problems:
        assert problem.startswith("lab.yaml:")
        assert problem.isascii()
        assert problem.isprintable()
        assert len(problem) < 1000


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_hostile_name_of_a_domu_is_refused_and_nothing_is_made(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    problems = problems_of_document({"domus": {name: {}}})
    assert_safe(problems)
    assert len(problems) == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", HOSTILE_NAMES[:-4])
@pytest.mark.parametrize("section", ["networks", "kernels"])
def test_hostile_name_of_a_network_or_kernel_is_refused(section: str, name: str) -> None:
    problems = problems_of_document({"domus": {"alice": {}}, section: {name: {}}})
    assert_safe(problems)
    assert any("bad name" in problem for problem in problems)


@pytest.mark.parametrize("name", HOSTILE_NAMES[:-4])
def test_hostile_reference_is_refused(name: str) -> None:
    document = {"domus": {"alice": {"kernel": name, "vifs": [{"network": name}]}}}
    problems = problems_of_document(document)
    assert_safe(problems)
    assert len(problems) == 2


@pytest.mark.parametrize("words", HOSTILE_COMMAND_LINES)
def test_command_line_that_would_break_out_is_refused(words: str) -> None:
    problems = problems_of_document(
        {
            "xen": {"command_line": words},
            "dom0": {"command_line": words},
            "domus": {"alice": {"command_line": words}},
        }
    )
    assert_safe(problems)
    assert len(problems) == 3


@pytest.mark.parametrize(
    "words", ["console=hvc0,115200n8", 'dyndbg="file a.c +p"', "a=$(id) 'b", ""]
)
def test_command_line_with_commas_and_quotes_is_kept_as_it_is(words: str) -> None:
    topology = parse_document({"domus": {"alice": {"command_line": words}}})
    assert topology.domus[0].command_line == words


def assert_topology_or_problems(raw: bytes) -> None:
    problems: tuple[str, ...] = ()
    try:
        topology = parse_topology(raw, file="lab.yaml", name="lab")
    except InputError as error:
        problems = error.problems
    else:
        assert LabPlan.from_json(plan_lab(topology).to_json()) == plan_lab(topology)
        return
    assert 1 <= len(problems) <= PROBLEMS_MAX + 1
    assert_safe(problems)


@QUICK
@given(raw=st.binary(max_size=200))
def test_any_bytes_give_a_topology_or_an_input_error(raw: bytes) -> None:
    assert_topology_or_problems(raw)


@QUICK
@given(text=st.text(alphabet="ab1:-?[]{}&*!|>'\"%@#,.~ \n\t\\<=domus", max_size=80))
def test_any_yaml_like_text_gives_a_topology_or_an_input_error(text: str) -> None:
    assert_topology_or_problems(text.encode())


KNOWN_KEYS = (
    *("description", "machine", "xen", "kernels", "dom0", "domus", "networks"),
    *("cpus", "memory", "accel", "cpu_model", "iommu", "suite", "version", "command_line"),
    *("package", "kernel", "vcpus", "forwarding", "type", "vifs", "network", "mac", "mtu"),
    *("queues", "features", "tso", "alice", "bob", "lan", "debian"),
)
KEYS = st.sampled_from(KNOWN_KEYS) | st.text(max_size=5)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(max_size=5)
    | st.sampled_from(["512MiB", "1GiB", "lan", "debian", "on", "pvh", "00:16:3e:00:00:01"])
)
DOCUMENTS = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)


@QUICK
@given(
    document=st.fixed_dictionaries(
        {"domus": st.dictionaries(KEYS, DOCUMENTS, max_size=3) | DOCUMENTS},
        optional=dict.fromkeys(("machine", "xen", "kernels", "dom0", "networks", "x"), DOCUMENTS),
    )
)
def test_any_values_in_known_places_give_a_topology_or_an_input_error(document: object) -> None:
    assert_topology_or_problems(json.dumps(document).encode())
