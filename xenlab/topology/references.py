"""Checks across sections: names that must exist, addresses that must differ, sums that must fit.

They work on the values as read, not on the models, so that one run shows these problems beside
those of single fields; what is malformed is passed over here, because it has its own problem.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from xenlab.topology import defaults, fields
from xenlab.topology.backend_rules import backends_of, find_misplaced_backends
from xenlab.topology.document import Document, Path, Value
from xenlab.topology.host_rules import find_misplaced_host
from xenlab.topology.iommu_rules import find_unworkable
from xenlab.topology.kernel_origin import find_misplaced
from xenlab.topology.model import DomUKind, Iommu
from xenlab.topology.nic_rules import find_unusable_nic
from xenlab.topology.plain_rules import find_impossible_without_xen
from xenlab.topology.stream import Position, Problem
from xenlab.topology.wording import did_you_mean, list_names, quote


def check_references(document: Document) -> Iterator[Problem]:
    """Every problem that takes more than one field to see."""
    return _Checker(document=document).check()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Checker:
    """Walks one document; `macs` remembers where each address was first used."""

    document: Document
    macs: dict[str, Position] = field(default_factory=dict)

    def check(self) -> Iterator[Problem]:
        root = _mapping(self.document.value)
        for name, section in _mapping(root.get("kernels")).items():
            for key, message in find_misplaced(_mapping(section)):
                yield self._problem(("kernels", name, key), message)
        yield from self._check_kernel(root, ("dom0",))
        for name in _mapping(root.get("domus")):
            yield from self._check_kernel(root, ("domus", name))
            yield from self._check_vifs(root, ("domus", name))
        yield from self._check_memory(root)
        yield from self._check_nic(root)
        yield from self._check_backends(root)
        rules = (
            find_unworkable, find_unusable_nic, find_misplaced_backends, find_misplaced_host,
            find_impossible_without_xen,
        )  # fmt: skip
        for path, message in (found for rule in rules for found in rule(root)):
            yield self._problem(path, message)

    def _check_backends(self, root: Mapping[str, Value]) -> Iterator[Problem]:
        if not isinstance(root.get("domus"), dict):
            return
        known = {defaults.BACKEND, *_mapping(root.get("domus"))}
        for network, backend in backends_of(root).items():
            if backend not in known:
                yield self._unknown("domU", backend, known, ("networks", network, "backend"))

    def _check_kernel(self, root: Mapping[str, Value], path: Path) -> Iterator[Problem]:
        kernel = _mapping(_at(root, path)).get("kernel")
        known = {*defaults.BUILT_IN_KERNELS, *_mapping(root.get("kernels"))}
        if isinstance(kernel, str) and kernel not in known and _is_section(root.get("kernels")):
            yield self._unknown("kernel", kernel, known, (*path, "kernel"))

    def _check_vifs(self, root: Mapping[str, Value], path: Path) -> Iterator[Problem]:
        if not _is_section(root.get("networks")):
            return
        networks = _mapping(root.get("networks")) or {defaults.NETWORK: None}
        domu = _at(root, path)
        vifs = _mapping(domu).get("vifs")
        is_backend = path[-1] in backends_of(root).values()
        if vifs is None and _is_section(domu) and len(networks) > 1 and not is_backend:
            yield self._problem(path, f"say under `vifs` which network: {list_names(networks)}")
        used: set[str] = set()
        for index, item in enumerate(vifs if isinstance(vifs, list) else []):
            vif, vif_path = _mapping(item), (*path, "vifs", index)
            network = vif.get("network")
            if network is None and len(networks) == 1:
                (network,) = networks
            yield from self._check_network(network, networks, used, vif_path)
            yield from self._check_mtu(vif, networks.get(str(network)), vif_path)
            yield from self._check_mac(vif.get("mac"), (*vif_path, "mac"))

    def _check_nic(self, root: Mapping[str, Value]) -> Iterator[Problem]:
        nic = _mapping(root.get("machine")).get("nic")
        if not isinstance(nic, dict) or not _is_section(root.get("networks")):
            return
        networks = _mapping(root.get("networks")) or {defaults.NETWORK: None}
        network = nic.get("network") or (next(iter(networks)) if len(networks) == 1 else None)
        yield from self._check_network(network, networks, set(), ("machine", "nic"))

    def _check_network(
        self, network: Value, networks: Mapping[str, Value], used: set[str], path: Path
    ) -> Iterator[Problem]:
        if network is None:
            yield self._problem(path, f"say which `network`: {list_names(networks)}")
        elif isinstance(network, str) and network not in networks:
            yield self._unknown("network", network, networks, (*path, "network"))
        elif isinstance(network, str) and network in used:
            # Linux answers ARP for either address on either device: nobody could say which hop
            # a packet took.
            yield self._problem(
                (*path, "network"), f"this domU already has a vif on {quote(network)}"
            )
        elif isinstance(network, str):
            used.add(network)

    def _check_mtu(self, vif: Mapping[str, Value], network: Value, path: Path) -> Iterator[Problem]:
        of_vif = vif.get("mtu")
        of_network = _mapping(network).get("mtu", defaults.MTU_BYTES)
        if not isinstance(of_vif, int) or not isinstance(of_network, int):
            return
        if of_network < of_vif <= defaults.MTU_MAX_BYTES:
            yield self._problem(
                (*path, "mtu"), f"{of_vif} is above the {of_network} of its network's bridge"
            )

    def _check_mac(self, value: Value, path: Path) -> Iterator[Problem]:
        if not isinstance(value, str):
            return
        where = self.document.position_of(path)
        first = self.macs.setdefault(value.lower(), where)
        if first is not where:
            yield self._problem(path, f"MAC {quote(value)} is already used in line {first.line}")

    def _check_memory(self, root: Mapping[str, Value]) -> Iterator[Problem]:
        machine = _mapping(root.get("machine")).get("memory")
        iommu = _mapping(root.get("machine")).get("iommu")
        domus = _mapping(root.get("domus")).values()
        try:
            needed_mib = defaults.needed_machine_mib(
                _memory_mib(root.get("dom0"), _default_dom0_mib(domus)),
                [_memory_mib(domu, _default_mib(domu)) for domu in domus],
                amd_iommu=iommu == Iommu.AMD,
            )
            machine_mib = needed_mib if machine is None else fields.parse_memory(machine)
        except ValueError:
            return
        if machine_mib < needed_mib:
            yield self._problem(
                ("machine", "memory"),
                f"{machine_mib}MiB is too little: dom0, the domUs and Xen need {needed_mib}MiB",
            )
        if needed_mib > defaults.MEMORY_MAX_MIB:
            yield self._problem(
                ("domus",),
                f"dom0, the domUs and Xen need {needed_mib}MiB together; a machine has at most"
                f" {defaults.MEMORY_MAX_MIB // 1024}GiB",
            )

    def _unknown(
        self, what: str, name: str, known: Mapping[str, Value] | set[str], path: Path
    ) -> Problem:
        valid = sorted(each for each in known if re.fullmatch(fields.NAME_PATTERN, each))
        hint = did_you_mean(name, valid) or f"; known: {list_names(valid)}"
        return self._problem(path, f"unknown {what} {quote(name)}{hint}")

    def _problem(self, path: Path, message: str) -> Problem:
        return Problem(position=self.document.position_of(path), message=message)


def _mapping(value: Value) -> dict[str, Value]:
    return value if isinstance(value, dict) else {}


def _at(root: Mapping[str, Value], path: Path) -> Value:
    value: Value = dict(root)
    for part in path:
        value = _mapping(value).get(str(part))
    return value


def _memory_mib(section: Value, default_mib: int) -> int:
    value = _mapping(section).get("memory", f"{default_mib}MiB")
    return fields.parse_memory(value)


def _default_dom0_mib(domus: Iterable[Value]) -> int:
    device_model = any(_mapping(domu).get("type") == DomUKind.HVM for domu in domus)
    return defaults.dom0_memory_mib(device_model=device_model)


def _default_mib(domu: Value) -> int:
    return defaults.domu_memory_mib(shim=_mapping(domu).get("type") == DomUKind.PVSHIM)


def _is_section(value: Value) -> bool:
    """Whether names may be looked up here: a malformed section holds none to compare with."""
    return value is None or isinstance(value, dict)
