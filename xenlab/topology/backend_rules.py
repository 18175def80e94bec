"""Backends and routers that cannot be what the rest of a file makes of them; see `iommu_rules`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from xenlab.topology.document import Path, Value
from xenlab.topology.wording import quote


def backends_of(root: Mapping[str, Value]) -> Mapping[str, str]:
    """The backend of each network that names one."""
    named = {
        network: _section(section).get("backend")
        for network, section in _section(root.get("networks")).items()
    }
    return {network: backend for network, backend in named.items() if isinstance(backend, str)}


def find_misplaced_backends(root: Mapping[str, Value]) -> Iterator[tuple[Path, str]]:
    """The place of each setting that cannot work beside the backends and routers, and why."""
    yield from _find_vifs_of_its_own(root)
    yield from _find_second_router(root)
    yield from _find_merging_router(root)


def _find_vifs_of_its_own(root: Mapping[str, Value]) -> Iterator[tuple[Path, str]]:
    """A domain cannot be both ends of a vif."""
    backends = backends_of(root)
    only = next(iter(backends)) if len(_section(root.get("networks"))) == len(backends) == 1 else ""
    for name, domu in _section(root.get("domus")).items():
        for index, vif in enumerate(_list(_section(domu).get("vifs"))):
            network = str(_section(vif).get("network", only))
            if backends.get(network) == name:
                yield (
                    ("domus", name, "vifs", index, "network"),
                    f"{quote(name)} is the backend of {quote(network)}, and on it without a vif",
                )


def _find_second_router(root: Mapping[str, Value]) -> Iterator[tuple[Path, str]]:
    """Of two routers nobody could say which one a packet takes."""
    for path in routers_of(root)[1:]:
        first = routers_of(root)[0][-2]
        yield path, f"{quote(first)} is the router already, and there is one at most"


def routers_of(root: Mapping[str, Value]) -> list[Path]:
    """The place of each word that makes dom0 or a domU a router."""
    nodes: list[tuple[Path, Value]] = [(("dom0",), root.get("dom0"))]
    nodes += [(("domus", name), domu) for name, domu in _section(root.get("domus")).items()]
    return [
        (*path, "forwarding") for path, node in nodes if _section(node).get("forwarding") is True
    ]


def _find_merging_router(root: Mapping[str, Value]) -> Iterator[tuple[Path, str]]:
    """GRO makes one packet of several, which then are not those that went in."""
    for name, domu in _section(root.get("domus")).items():
        if _section(domu).get("forwarding") is not True:
            continue
        for index, vif in enumerate(_list(_section(domu).get("vifs"))):
            if _section(_section(vif).get("features")).get("gro") in (True, "on"):
                yield (
                    ("domus", name, "vifs", index, "features", "gro"),
                    "a router with GRO puts packets together, and each must be counted",
                )


def _section(value: Value) -> dict[str, Value]:
    return value if isinstance(value, dict) else {}


def _list(value: Value) -> list[Value]:
    return value if isinstance(value, list) else []
