"""The rules of single fields: each takes what the file says and returns it, or raises ValueError.

The text of the ValueError says what would be right; it becomes one `file:line:col: message`.
"""

from __future__ import annotations

import re

from xenlab.topology import defaults
from xenlab.topology.wording import did_you_mean, list_names, quote

NAME_PATTERN = "^[a-z][a-z0-9-]{0,14}$"
MEMORY_PATTERN = "^[0-9]{1,15}(MiB|GiB)$"
MAC_PATTERN = "^[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2}){5}$"
SUITE_PATTERN = "^[a-z][a-z0-9-]{0,39}$"
# Debian Policy 5.6.1 and 5.6.12.
PACKAGE_PATTERN = "^[a-z0-9][a-z0-9+.-]{1,99}$"
# Printable ASCII; a commit must not be taken for an option of git, nor for a range.
PATH_PATTERN = f"^[ -~]{{1,{defaults.PATH_MAX_CHARS}}}$"
REVISION_PATTERN = "^[A-Za-z0-9_][A-Za-z0-9_./@{}^~+-]{0,199}$"
VERSION_PATTERN = "^[0-9][A-Za-z0-9.+:~-]{0,99}$"
# `-cpu` of QEMU: a model and `,+flag`, `,-flag` or `,name=value` parts.
CPU_MODEL_PATTERN = (
    "^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}(,[+-]?[A-Za-z0-9][A-Za-z0-9_.=-]{0,63}){0,64}$"
)
# Printable ASCII: a newline or NUL would end the line early, anything else shows as it is not.
COMMAND_LINE_PATTERN = f"^[ -~]{{0,{defaults.COMMAND_LINE_MAX_BYTES}}}$"
DESCRIPTION_PATTERN = f"^[ -~]{{0,{defaults.DESCRIPTION_MAX_CHARS}}}$"

# What a netfront device has (drivers/net/xen-netfront.c, xennet_create_dev) and what the core
# adds to every device; one name for each. Whether the kernel under test lets one be switched is
# for `ethtool -K` to say: stock netfront holds `rx` and `tx-checksum-ipv4` fixed.
FEATURES = (
    "gro",
    "gso",
    "rx",
    "rx-gro-list",
    "rx-udp-gro-forwarding",
    "sg",
    "tso",
    "tx",
    "tx-checksum-ipv4",
    "tx-checksum-ipv6",
    "tx-nocache-copy",
    "tx-tcp-segmentation",
    "tx-tcp6-segmentation",
)
FEATURE_LONG_NAMES = {
    "generic-receive-offload": "gro",
    "generic-segmentation-offload": "gso",
    "rx-checksumming": "rx",
    "rx-checksum": "rx",
    "rx-gro": "gro",
    "scatter-gather": "sg",
    "tcp-segmentation-offload": "tso",
    "tx-checksumming": "tx",
    "tx-generic-segmentation": "gso",
    "tx-scatter-gather": "sg",
}

# QEMU's device, and libvirt's word for it. Nothing below xen/drivers/passthrough knows it.
VIRTIO_IOMMUS = ("virtio", "virtio-iommu", "virtio-iommu-pci")
MAC_OF_VIFS_IN_DOM0 = "fe:ff:ff:ff:ff:ff"
MULTICAST_BIT = 0x01
MIB_OF_UNIT = {"MiB": 1, "GiB": 1024}


def check_name(name: str) -> str:
    """A name that is safe as a host name, a file name, an argument and part of a bridge's name."""
    if not re.fullmatch(NAME_PATTERN, name):
        raise ValueError(
            f"bad name {quote(name)}: use 1 to 15 of a-z, 0-9 and `-`, the first one a letter"
        )
    return name


def check_node_name(name: str) -> str:
    """A domU's name: not one that xenlab itself gives."""
    if name in defaults.RESERVED_NODE_NAMES:
        raise ValueError(f"{quote(name)} is a name of xenlab's own; call the domU otherwise")
    return check_name(name)


def parse_memory(value: object) -> int:
    """`512MiB` or `2GiB` in MiB."""
    if not isinstance(value, str) or not re.fullmatch(MEMORY_PATTERN, value):
        raise ValueError(f"{quote(value)} is not a size; write {quote(_guess_memory(value))}")
    memory_mib = int(value[:-3]) * MIB_OF_UNIT[value[-3:]]
    if not defaults.MEMORY_MIN_MIB <= memory_mib <= defaults.MEMORY_MAX_MIB:
        raise ValueError(
            f"{quote(value)} is too {'little' if memory_mib < defaults.MEMORY_MIN_MIB else 'much'}:"
            f" {defaults.MEMORY_MIN_MIB}MiB to {defaults.MEMORY_MAX_MIB // 1024}GiB"
        )
    return memory_mib


def _guess_memory(value: object) -> str:
    """The size that a wrong one most likely meant."""
    text = str(value).strip()
    if found := re.fullmatch(r"([0-9]{1,9}(?:\.[0-9]{1,3})?) ?([KMGT]?)I?B?", text, re.IGNORECASE):
        unit_mib = {"": 1.0, "K": 1 / 1024, "M": 1.0, "G": 1024.0, "T": 1024.0**2}
        memory_mib = float(found[1]) * unit_mib[found[2].upper()]
        if defaults.MEMORY_MIN_MIB <= memory_mib <= defaults.MEMORY_MAX_MIB:
            whole_mib = int(memory_mib)
            return f"{whole_mib}MiB" if whole_mib % 1024 else f"{whole_mib // 1024}GiB"
    return "512MiB"


def parse_mac(value: str) -> str:
    """A unicast MAC address in lower case."""
    mac = value.lower()
    if not re.fullmatch(MAC_PATTERN, mac):
        raise ValueError(f"{quote(value)} is not a MAC address; write `00:16:3e:12:34:56`")
    if int(mac[:2], 16) & MULTICAST_BIT:
        raise ValueError(f"{quote(mac)} is a multicast address; a vif needs a unicast one")
    if mac == "00:00:00:00:00:00":
        raise ValueError(f"{quote(mac)} is no address; leave `mac` away to have one made")
    if mac == MAC_OF_VIFS_IN_DOM0:
        raise ValueError(f"{quote(mac)} is what dom0's end of every vif has")
    return mac


def check_command_line(value: str) -> str:
    """Words for a kernel or Xen: printable ASCII, quotes closed, no bare `--`."""
    if len(value) > defaults.COMMAND_LINE_MAX_BYTES:
        raise ValueError(f"longer than {defaults.COMMAND_LINE_MAX_BYTES} bytes")
    if not re.fullmatch(COMMAND_LINE_PATTERN, value):
        raise ValueError(
            f"{quote(value)} has a newline, a control character or non-ASCII text;"
            " write one plain line"
        )
    if value.count('"') % 2:
        raise ValueError(f'{quote(value)} leaves a `"` open, which would swallow what follows')
    if "--" in value.split():
        raise ValueError("a bare `--` would hand the rest to another program; leave it away")
    return value


def check_description(value: str) -> str:
    """One line for the table of topologies."""
    if not re.fullmatch(DESCRIPTION_PATTERN, value):
        raise ValueError(
            f"write one line of at most {defaults.DESCRIPTION_MAX_CHARS} ASCII characters"
        )
    return value


def check_feature(name: str) -> str:
    """A feature as `ethtool -K` names it; of two names for one feature, the short one."""
    if name in FEATURES:
        return name
    meant = FEATURE_LONG_NAMES.get(name)
    hint = f"; did you mean {quote(meant)}?" if meant else did_you_mean(name, FEATURES)
    raise ValueError(f"unknown feature {quote(name)}{hint or '; known: ' + list_names(FEATURES)}")


def parse_switch(value: object) -> bool:
    """`on`, `off`, true or false."""
    if isinstance(value, bool):
        return value
    if value in ("on", "off"):
        return value == "on"
    raise ValueError(f"{quote(value)} is no switch; write `on` or `off`")


def check_iommu_has_a_driver(value: object) -> object:
    """`value`, unless it is an IOMMU of QEMU's that Xen cannot use."""
    if value in VIRTIO_IOMMUS:
        raise ValueError(f"{quote(value)} is not usable: Xen has no driver; write `intel` or `amd`")
    return value


def check_pattern(pattern: str, what: str, example: str, value: str) -> str:
    """`value` if it is what `pattern` says."""
    if not re.fullmatch(pattern, value):
        raise ValueError(f"{quote(value)} is not {what}; write for example `{example}`")
    return value
