"""What rides in the initrds, whole, in golden files: xl.cfg, `ip` batches, tables of vifs."""

from __future__ import annotations

import ipaddress
import re
import shlex
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import CompareGolden
from xenlab.boot.network_files import (
    bridge_mac,
    render_bridge_batch,
    render_domu_batch,
    render_vif_table,
)
from xenlab.boot.overlay import render_dom0_files, render_domu_files, render_outside_files
from xenlab.boot.xl_config import render_xl_config
from xenlab.plan.model import DomUKind, LabPlan
from xenlab.plan.planner import plan_lab
from xenlab.topology.loading import load_topology

SHIPPED = ("single", "pair", "pair-pvh", "quad", "routed", "two-nets", "driver-domain")


def plan_of(topology: str) -> LabPlan:
    return plan_lab(load_topology(topology))


def config_of(plan: LabPlan) -> str:
    return render_xl_config(plan.domus[0], kernel="/k", ramdisk="/r")


@pytest.mark.parametrize("topology", SHIPPED)
def test_every_file_of_a_shipped_topology(topology: str, golden: CompareGolden) -> None:
    plan = plan_of(topology)
    files = {"dom0": render_dom0_files(plan), "domU": render_domu_files(plan)}
    text = "".join(
        f"==> {where}: {path} <==\n{content}"
        for where, rendered in files.items()
        for path, content in sorted(rendered.items())
    )
    golden(f"{topology}.txt", text)


def test_every_file_of_both_ends_of_the_wire(golden: CompareGolden) -> None:
    plan = plan_of("uplink")
    plain = replace(plan, uplink=None)
    dom0, without = render_dom0_files(plan), render_dom0_files(plain)
    own = {path: text for path, text in dom0.items() if without.get(path) != text}
    domu = {path: text for path, text in render_domu_files(plan).items() if path.endswith(".ip")}
    files = {"dom0": own, "domU": domu, "peer": render_outside_files(plan)}
    text = "".join(
        f"==> {where}: {path} <==\n{content}"
        for where, rendered in files.items()
        for path, content in sorted(rendered.items())
        if not content.startswith("#!")
    )
    golden("uplink.txt", text)
    scripts = [path for path, content in files["peer"].items() if content.startswith("#!")]
    assert scripts == ["init", "usr/sbin/connect-uplink"]
    assert render_outside_files(plain) == {}


def test_every_file_of_a_machine_without_xen(golden: CompareGolden) -> None:
    files = render_dom0_files(plan_of("uplink-no-xen"))
    text = "".join(
        f"==> dom0: {path} <==\n{content}"
        for path, content in sorted(files.items())
        if not content.startswith("#!")
    )
    golden("uplink-no-xen.txt", text)
    outside = render_outside_files(plan_of("uplink"))
    assert {path for path, content in files.items() if content == outside.get(path)} == {
        "init", "usr/sbin/connect-uplink"
    }  # fmt: skip


def test_nic_of_a_driver_domain_is_in_its_configuration_and_its_files_are_not_dom0s() -> None:
    plan = plan_of("iommu-i7")
    dom0, domus = render_dom0_files(plan), render_domu_files(plan)
    assert 'pci = ["0000:00:1e.0"]\n' in dom0["xenlab/domus/netvm.cfg"]
    assert "pci" not in dom0["xenlab/domus/app.cfg"]
    assert not [path for path in dom0 if "uplink" in path]
    assert domus["xenlab/uplink"] == "MAC=00:16:3e:1b:75:95\nDRIVERS='xen-pcifront e1000e'\n"
    assert domus["xenlab/uplink.ip"] == "link set uplink mtu 1500 master br-lan up\n"
    assert domus["usr/sbin/connect-uplink"] == render_outside_files(plan)["usr/sbin/connect-uplink"]


@pytest.mark.parametrize(
    ("kind", "lines"),
    [
        ("pv", 'type = "pv"\n'),
        ("pvh", 'type = "pvh"\n'),
        ("hvm", 'type = "hvm"\nvga = "none"\nvnc = 0\n'),
        ("pvshim", 'type = "pvh"\npvshim = 1\n'),
    ],
)
def test_domu_has_its_type(kind: str, lines: str) -> None:
    plan = plan_of("pair")
    other = replace(plan, domus=(replace(plan.domus[0], kind=DomUKind(kind)),))
    assert f'name = "alice"\n{lines}kernel' in config_of(other)


def test_firmware_gets_what_it_boots_and_others_the_elf_and_a_ramdisk_that_is_not_packed() -> None:
    files = render_dom0_files(plan_of("pair-hvm"))

    for domu, image, ramdisk in (("alice", "bzimage", "cpio.gz"), ("bob", "vmlinux", "cpio")):
        config = files[f"xenlab/domus/{domu}.cfg"]
        assert f'kernel = "/xenlab/kernels/debian.{image}"\n' in config
        assert f'ramdisk = "/xenlab/kernels/debian.{ramdisk}"\n' in config


def test_table_of_vifs_says_queues_and_trust() -> None:
    rows = [
        render_vif_table(domu, plan_of(topology)).split()[4::2]
        for topology in ("queues-3-4", "untrusted")
        for domu in plan_of(topology).domus
    ]
    assert rows == [["3", "trusted"], ["4", "trusted"], ["-", "untrusted"], ["-", "trusted"]]


def dequote(quoted: str) -> str:
    """What xl reads from a double-quoted string (libxlu_cfg.c, xlu__cfgl_dequote)."""
    assert quoted[0] == quoted[-1] == '"'
    meaning = {"n": "\n", "t": "\t", "r": "\r", '"': '"', "\\": "\\"}
    return re.sub(r"\\(.)", lambda match: meaning[match[1]], quoted[1:-1], flags=re.DOTALL)


@given(st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\0"), max_size=80))
def test_any_command_line_comes_back_as_it_was(words: str) -> None:
    plan = PAIR
    hostile = replace(plan, domus=(replace(plan.domus[0], command_line=words),))
    lines = config_of(hostile).split("\n")
    (line,) = [line for line in lines if line.startswith("cmdline = ")]
    assert dequote(line.removeprefix("cmdline = ")).endswith(words)
    assert len(lines) == len(config_of(plan).split("\n"))


PAIR = plan_of("pair")


@pytest.mark.parametrize("topology", SHIPPED)
def test_every_domu_knows_the_address_of_all_on_its_networks(topology: str) -> None:
    """Static neighbours on both sides: nobody asks, so that only our own packets are counted."""
    plan = plan_of(topology)
    for domu in plan.domus:
        batch = render_domu_batch(plan, domu)
        for vif in domu.vifs:
            network = plan.network(vif.network)
            peers = [peer for peer, peer_vif in plan.vifs_on(vif.network) if peer is not domu]
            assert f"{network.address4} lladdr {bridge_mac(network)}" in batch
            for peer in peers:
                (peer_vif,) = [one for one in peer.vifs if one.network == vif.network]
                for address in (peer_vif.address4, peer_vif.address6):
                    assert (
                        f"{address} lladdr {peer_vif.mac} nud permanent dev {vif.device}" in batch
                    )


@pytest.mark.parametrize("topology", SHIPPED)
def test_no_address_is_given_twice(topology: str) -> None:
    plan = plan_of(topology)
    batches = [render_bridge_batch(plan, node) for node in plan.domain_names]
    batches += [render_domu_batch(plan, domu) for domu in plan.domus]
    added = [
        ipaddress.ip_interface(words[2]).ip
        for batch in batches
        for words in map(shlex.split, batch.splitlines())
        if words[:2] == ["addr", "add"]
    ]
    assert len(added) == len(set(added))


def test_bridge_mac_is_local_and_of_one_station() -> None:
    first = int(bridge_mac(PAIR.networks[0]).split(":")[0], 16)
    assert (first & 2, first & 1) == (2, 0)
