"""A topology file becomes a Topology, or one error that lists everything that is wrong with it."""

from __future__ import annotations

import json
import textwrap

import pytest

from xenlab.errors import InputError
from xenlab.topology import defaults
from xenlab.topology.kernel_origin import KernelOrigin
from xenlab.topology.loading import PROBLEMS_MAX, parse_topology, render_schema, shipped_topologies
from xenlab.topology.model import (
    Accel,
    Dom0Spec,
    DomUKind,
    DomUSpec,
    Iommu,
    KernelSpec,
    MachineSpec,
    NetworkSpec,
    Topology,
    VifSpec,
    XenSpec,
)
from xenlab.topology.problems import section_at
from xenlab.topology.sections import TopologyFile

FULL = """
description: everything that can be said
machine: {cpus: 4, memory: 4GiB, accel: tcg, cpu_model: "max,-smap,-smep", iommu: intel}
xen: {suite: trixie, version: "4.20.2", command_line: "loglvl=all, guest_loglvl=all"}
kernels:
  mine: {suite: sid, package: linux-image-cloud-amd64}
dom0: {kernel: mine, vcpus: 3, memory: 1GiB, command_line: 'dyndbg="file net +p"', forwarding: true}
networks:
  left: {mtu: 9000}
  right:
domus:
  alice:
    kernel: trixie
    type: pvh
    vcpus: 2
    memory: 256MiB
    command_line: quiet
    vifs:
      - {network: left, mac: 00:16:3E:AA:BB:0C, mtu: 8000, queues: 4,
         features: {tso: off, gso: on, sg: false}}
      - network: right
  bob: {vifs: []}
"""


def parse(text: str) -> Topology:
    return parse_topology(textwrap.dedent(text).encode(), file="lab.yaml", name="lab")


def problems_of(text: str) -> tuple[str, ...]:
    with pytest.raises(InputError) as caught:
        parse(text)
    return caught.value.problems


def test_shortest_file_gives_each_domu_one_vif_on_one_default_network() -> None:
    topology = parse("domus: {alice: {}, bob: }")
    assert topology.networks == (NetworkSpec(name="lan"),)
    assert topology.domus == (
        DomUSpec(name="alice", vifs=(VifSpec(network="lan"),)),
        DomUSpec(name="bob", vifs=(VifSpec(network="lan"),)),
    )
    assert (topology.machine, topology.xen, topology.dom0) == (MachineSpec(), XenSpec(), Dom0Spec())
    assert topology.needed_memory_mib == defaults.needed_machine_mib(512, [192, 192])


def test_shim_gets_more_memory_than_another_domu_where_nothing_is_said() -> None:
    text = "domus: {alice: {type: pvshim}, bob: {}, carol: {type: pvshim, memory: 400MiB}}"
    topology = parse(text)

    assert [domu.memory_mib for domu in topology.domus] == [384, 192, 400]
    assert topology.needed_memory_mib == defaults.needed_machine_mib(512, [384, 192, 400])


@pytest.mark.parametrize(
    ("text", "memory_mib"),
    [
        ("domus: {alice: {type: hvm}, bob: {}}", 768),
        ("dom0: {memory: 600MiB}\ndomus: {alice: {type: hvm}}", 600),
        ("domus: {alice: {type: pvh}}", 512),
    ],
)
def test_dom0_gets_more_memory_where_it_has_the_qemu_of_a_domu(text: str, memory_mib: int) -> None:
    topology = parse(text)

    assert topology.dom0.memory_mib == memory_mib
    domus_mib = [192] * len(topology.domus)
    assert topology.needed_memory_mib == defaults.needed_machine_mib(memory_mib, domus_mib)


def test_every_field_arrives() -> None:
    topology = parse(FULL)
    assert topology.description == "everything that can be said"
    assert topology.machine == MachineSpec(
        cpus=4,
        memory_mib=4096,
        accel=Accel.TCG,
        cpu_model="max,-smap,-smep",
        iommu=Iommu.INTEL,
    )
    assert topology.xen == XenSpec(
        suite="trixie", version="4.20.2", command_line="loglvl=all, guest_loglvl=all"
    )
    assert KernelSpec(
        name="mine", origin=KernelOrigin(suite="sid", package="linux-image-cloud-amd64")
    ) in (topology.kernels)
    assert topology.dom0 == Dom0Spec(
        kernel="mine",
        vcpus=3,
        memory_mib=1024,
        command_line='dyndbg="file net +p"',
        forwarding=True,
    )
    assert topology.networks == (
        NetworkSpec(name="left", mtu_bytes=9000),
        NetworkSpec(name="right", mtu_bytes=1500),
    )
    alice, bob = topology.domus
    assert (alice.kernel, alice.kind, alice.vcpus) == ("trixie", DomUKind.PVH, 2)
    assert (alice.memory_mib, alice.command_line) == (256, "quiet")
    assert alice.vifs == (
        VifSpec(
            network="left",
            mac="00:16:3e:aa:bb:0c",
            mtu_bytes=8000,
            queues=4,
            features=(("gso", True), ("sg", False), ("tso", False)),
        ),
        VifSpec(network="right"),
    )
    assert bob.vifs == ()


def test_built_in_kernels_are_there_and_can_be_replaced() -> None:
    names = {kernel.name: kernel.origin.suite for kernel in parse("domus: {a: }").kernels}
    assert names == {"debian": "bookworm", "bookworm": "bookworm", "trixie": "trixie", "sid": "sid"}
    replaced = parse("{domus: {a: }, kernels: {debian: {suite: sid}}}").kernels
    assert KernelSpec(name="debian", origin=KernelOrigin(suite="sid")) in replaced


def test_vif_takes_the_mtu_of_its_network() -> None:
    topology = parse("{networks: {fast: {mtu: 9000}}, domus: {a: }}")
    assert topology.domus[0].vifs == (VifSpec(network="fast", mtu_bytes=9000),)


def test_all_problems_come_at_once_in_the_order_of_the_file() -> None:
    text = """\
        machine: {acel: tcg, cpus: 0}
        xen: {version: 6.10}
        domus:
          alice: {kernel: debain, memory: 512MB, memory: 1GiB}
          $(id):
          bob:
            vifs:
              - {network: lam, mac: 52:54:00:12:34:56}
              - {mac: 52:54:00:12:34:56, features: {tsoo: off}}
        netwroks: {lan: {}}
        """
    assert problems_of(text) == (
        "lab.yaml:1:11: unknown key `acel`; did you mean `accel`?",
        "lab.yaml:1:28: `cpus`: `0` is too little; at least 1",
        'lab.yaml:2:16: `version`: `6.10` is not text; put it in quotes: "6.10"',
        "lab.yaml:4:19: unknown kernel `debain`; did you mean `debian`?",
        "lab.yaml:4:35: `memory`: `512MB` is not a size; write `512MiB`",
        "lab.yaml:4:42: key `memory` stands twice (first in line 4)",
        "lab.yaml:5:3: bad name `$(id)`: use 1 to 15 of a-z, 0-9 and `-`, the first one a letter",
        "lab.yaml:8:19: unknown network `lam`; did you mean `lan`?",
        "lab.yaml:9:15: MAC `52:54:00:12:34:56` is already used in line 8",
        "lab.yaml:9:45: unknown feature `tsoo`; did you mean `tso`?",
        "lab.yaml:10:1: unknown key `netwroks`; did you mean `networks`?",
    )


@pytest.mark.parametrize(
    ("field", "message"),
    [
        ("memory: 512", "`512` is not a size; write `512MiB`"),
        ("memory: 2G", "`2G` is not a size; write `2GiB`"),
        ("memory: 1.5GiB", "`1.5GiB` is not a size; write `1536MiB`"),
        ("memory: 524288KiB", "`524288KiB` is not a size; write `512MiB`"),
        ("memory: 512 MiB", "`512 MiB` is not a size; write `512MiB`"),
        ("memory: lots", "`lots` is not a size; write `512MiB`"),
        ("memory: -5MiB", "`-5MiB` is not a size; write `512MiB`"),
        ("memory: 0MiB", "`0MiB` is too little: 64MiB to 64GiB"),
        ("memory: 63MiB", "`63MiB` is too little: 64MiB to 64GiB"),
        ("memory: 1000000000MiB", "`1000000000MiB` is too much: 64MiB to 64GiB"),
        ("memory: ", "an empty value is not a size; write `512MiB`"),
        ("vcpus: 0", "`0` is too little; at least 1"),
        ("vcpus: -1", "`-1` is too little; at least 1"),
        ("vcpus: 65", "`65` is too much; at most 64"),
        ("vcpus: 1.0", "`1.0` is not a whole number"),
        ("vcpus: true", "`true` is not a whole number"),
        ('vcpus: "2"', "`2` is text; write it without quotes"),
        ("type: xen", "`xen` is not one of `pv`, `pvh`, `hvm`, `pvshim`"),
        ("type: pvhh", "`pvhh` is not one of `pv`, `pvh`, `hvm`, `pvshim`; did you mean `pvh`?"),
        ("kernel: 6.10", '`6.10` is not text; put it in quotes: "6.10"'),
        ("command_line: [a]", "a list stands where text belongs"),
        ("vifs: {network: lan}", "a mapping stands where a list (`- ...`) belongs"),
        (f"vifs: [{', '.join(['{}'] * 9)}]", "9 are too many; at most 8"),
    ],
)
def test_bad_field_of_a_domu_says_what_would_be_right(field: str, message: str) -> None:
    problems = problems_of(f"domus: {{alice: {{{field}}}}}")
    assert f"`{field.partition(':')[0]}`: {message}" in problems[0]


@pytest.mark.parametrize(
    ("field", "message"),
    [
        ("mac: 01:00:5e:00:00:01", "`01:00:5e:00:00:01` is a multicast address"),
        ("mac: ff:ff:ff:ff:ff:ff", "`ff:ff:ff:ff:ff:ff` is a multicast address"),
        ("mac: 00:00:00:00:00:00", "`00:00:00:00:00:00` is no address"),
        ("mac: FE:FF:FF:FF:FF:FF", "`fe:ff:ff:ff:ff:ff` is what dom0's end"),
        ("mac: 52-54-00-12-34-56", "`52-54-00-12-34-56` is not a MAC address"),
        ("mac: 525400123456", '`525400123456` is not text; put it in quotes: "525400123456"'),
        ("mtu: 67", "`67` is too little; at least 68"),
        ("mtu: 65518", "`65518` is too much; at most 65517"),
        ("mtu: 1501", "1501 is above the 1500 of its network's bridge"),
        ("queues: 0", "`0` is too little; at least 1"),
        ("queues: 17", "`17` is too much; at most 16"),
        ("queue: 2", "unknown key `queue`; did you mean `queues`?"),
        ("features: {tso: no}", "`no` is no switch; write `on` or `off`"),
        ("features: {tso: 0}", "`0` is no switch; write `on` or `off`"),
        ("features: {tcp-segmentation-offload: off}", "did you mean `tso`?"),
        ("features: {warp: off}", "unknown feature `warp`; known: `gro`, `gso`"),
        ("features: [tso]", "a list stands where a mapping (`key: value`) belongs"),
    ],
)
def test_bad_field_of_a_vif_says_what_would_be_right(field: str, message: str) -> None:
    (problem,) = problems_of(f"domus: {{alice: {{vifs: [{{{field}}}]}}}}")
    assert message in problem


@pytest.mark.parametrize(
    ("text", "messages"),
    [
        ("[]", ["1:1: a list stands where a mapping (`key: value`) belongs"]),
        ("{}", ["1:1: `domus`: missing; the shortest file is `domus: {alice: {}}`"]),
        ("domus: {}", ["1:8: at least one is needed; only `xen: {boot: off}` goes without"]),
        ("domus:", ["1:7: `domus`: an empty value stands where a mapping"]),
        (
            f"domus: {{{', '.join(f'd{n}: ' for n in range(17))}}}",
            ["1:8: `domus`: 17 are too many; at most 16"],
        ),
        ("{domus: {a: }, dom0: {forwarding: yes}}", ["`yes` is neither `true` nor `false`"]),
        ("{domus: {a: }, machine: {accel: xen}}", ["not one of `auto`, `kvm`, `tcg`"]),
        ("{domus: {a: }, machine: {cpu_model: 'x y'}}", ["`x y` is not a CPU of QEMU"]),
        ("{domus: {a: }, xen: {suite: ../x}}", ["`../x` is not a Debian suite"]),
        ("{domus: {a: }, xen: {version: '$(id)'}}", ["`$(id)` is not a version"]),
        ("{domus: {a: }, kernels: {k: {package: -o}}}", ["`-o` is not a Debian package"]),
        ("{domus: {a: }, networks: []}", ["`networks`: a list stands where a mapping"]),
        (
            "{domus: {a: {vifs: [{network: l}]}}, networks: 5, kernels: []}",
            ["`networks`: `5` stands", "`kernels`: a list stands"],
        ),
        (
            "{networks: {l: , r: }, domus: {a: , b: {vifs: [{}]}}}",
            ["say under `vifs` which network: `l`, `r`", "say which `network`: `l`, `r`"],
        ),
        (
            "domus: {a: {vifs: [{}, {network: lan}]}}",
            ["this domU already has a vif on `lan`"],
        ),
        (
            "{machine: {memory: 512MiB}, domus: {a: }}",
            ["1:20: 512MiB is too little: dom0, the domUs and Xen need"],
        ),
        (
            "domus: {a: {memory: 60GiB}, b: {memory: 60GiB}}",
            ["together; a machine has at most 64GiB"],
        ),
    ],
)
def test_bad_whole_says_what_would_be_right(text: str, messages: list[str]) -> None:
    problems = problems_of(text)
    for message in messages:
        assert any(message in problem for problem in problems), problems
    assert len(problems) == len(messages)


def test_duplicate_mac_is_found_in_another_case_and_across_domus() -> None:
    vifs = "vifs: [{mac: 00:16:3e:00:00:%s}]"
    (problem,) = problems_of(f"domus:\n  a: {{{vifs % '0a'}}}\n  b: {{{vifs % '0A'}}}\n")
    assert problem == "lab.yaml:3:20: MAC `00:16:3e:00:00:0A` is already used in line 2"


def test_duplicate_mac_by_an_alias_is_found() -> None:
    text = "domus: {a: {vifs: &v [{mac: 00:16:3e:00:00:01}]}, b: {vifs: *v}}"
    assert "already used" in problems_of(text)[0]


def test_garbage_lists_the_first_problems_and_counts_the_rest() -> None:
    text = "\n".join(f"key{number}: x" for number in range(500))
    problems = problems_of(text)
    assert len(problems) == PROBLEMS_MAX + 1
    assert problems[0].startswith("lab.yaml:1:1: ")
    assert problems[-1] == "lab.yaml: and 401 more problems"


def test_error_ends_with_exit_code_2() -> None:
    with pytest.raises(InputError) as caught:
        parse("")
    assert caught.value.exit_code == 2


PAIRS = ("dom0-pvh", "hvm", "no-defer", "pvh", "pvshim")


def test_shipped_topologies_are_short_described_and_what_they_say() -> None:
    shipped = {topology.name: topology for topology in shipped_topologies()}
    shapes = {
        name: [[vif.network for vif in domu.vifs] for domu in topology.domus]
        for name, topology in shipped.items()
    }
    assert shapes == {
        **{f"iommu-i{number}": [["lan"]] for number in (1, 2, 3, 4, 5, 6, 8)},
        "iommu-i7": [["lan"], []],
        "iommu-i4-virtio": [["lan"]],
        "driver-domain": [["inner"], ["outer"], [], ["outer"]],
        "pair": [["lan"], ["lan"]],
        **{f"pair-{kind}": [["lan"], ["lan"]] for kind in PAIRS},
        **{f"queues-{queues}": [["lan"], ["lan"]] for queues in ("1-2", "3-4")},
        "quad": [["lan"]] * 4,
        "routed": [["left"], ["right"]],
        "single": [["lan"]],
        "two-nets": [["left", "right"]],
        "untrusted": [["lan"], ["lan"]],
        "uplink": [["lan"]],
        "uplink-no-xen": [],
    }
    assert defaults.TOPOLOGY in shipped
    assert [name for name, topology in shipped.items() if topology.dom0.forwarding] == ["routed"]
    assert all(topology.description for topology in shipped.values())


def test_schema_names_every_field_of_every_section() -> None:
    schema = TopologyFile.model_json_schema()
    assert schema["properties"].keys() == TopologyFile.model_fields.keys()
    vif = section_at(("domus", "alice", "vifs", 0))
    assert vif is not None
    assert schema["$defs"]["VifSection"]["properties"].keys() == vif.model_fields.keys()
    assert schema["additionalProperties"] is False
    assert '"title": "xenlab topology"' in render_schema()


def test_schema_says_of_every_key_what_it_means() -> None:
    schema = json.loads(render_schema())
    keys = {
        (name, key): value
        for name, section in (*schema["$defs"].items(), ("file", schema))
        for key, value in section.get("properties", {}).items()
    }
    assert len(keys) > len(schema["properties"])
    assert [place for place, value in keys.items() if not value.get("description")] == []


@pytest.mark.parametrize(
    "path",
    [
        (),
        ("machine",),
        ("xen",),
        ("kernels", "k"),
        ("dom0",),
        ("domus", "a"),
        ("domus", "a", "vifs", 1),
        ("networks", "n"),
    ],
)
def test_unknown_key_of_every_section_is_guessed(path: tuple[str | int, ...]) -> None:
    section = section_at(path)
    assert section is not None
    known = next(iter(section.model_fields))
    entry = f"{{{known}x: 1}}"
    for part in reversed(path):
        entry = f"[{entry}]" if isinstance(part, int) else f"{{{part}: {entry}}}"
    assert any(f"did you mean `{known}`?" in problem for problem in problems_of(entry))
