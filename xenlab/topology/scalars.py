"""The types of single values of a topology file: what checks each, and its pattern or bounds.

Only this edge and `sections` know pydantic.
"""

from __future__ import annotations

from functools import partial
from typing import Annotated, TypeAlias

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from xenlab.topology import defaults, fields
from xenlab.topology.host_rules import SSH_PATTERN, check_ssh

Name: TypeAlias = Annotated[
    str,
    AfterValidator(fields.check_name),
    WithJsonSchema({"type": "string", "pattern": fields.NAME_PATTERN}),
]
NodeName: TypeAlias = Annotated[
    str,
    AfterValidator(fields.check_node_name),
    WithJsonSchema({"type": "string", "pattern": fields.NAME_PATTERN}),
]
# Names of networks and kernels are looked up in `references`, which knows what there is.
Reference: TypeAlias = Annotated[
    str, WithJsonSchema({"type": "string", "pattern": fields.NAME_PATTERN})
]
MemoryMib: TypeAlias = Annotated[
    int,
    BeforeValidator(fields.parse_memory),
    WithJsonSchema({"type": "string", "pattern": fields.MEMORY_PATTERN}),
]
Mac: TypeAlias = Annotated[
    str,
    AfterValidator(fields.parse_mac),
    WithJsonSchema({"type": "string", "pattern": fields.MAC_PATTERN}),
]
CommandLine: TypeAlias = Annotated[
    str,
    AfterValidator(fields.check_command_line),
    WithJsonSchema({"type": "string", "pattern": fields.COMMAND_LINE_PATTERN}),
]
Description: TypeAlias = Annotated[
    str,
    AfterValidator(fields.check_description),
    WithJsonSchema({"type": "string", "pattern": fields.DESCRIPTION_PATTERN}),
]
Suite: TypeAlias = Annotated[
    str,
    AfterValidator(
        partial(fields.check_pattern, fields.SUITE_PATTERN, "a Debian suite", "bookworm")
    ),
    WithJsonSchema({"type": "string", "pattern": fields.SUITE_PATTERN}),
]
Package: TypeAlias = Annotated[
    str,
    AfterValidator(
        partial(
            fields.check_pattern,
            fields.PACKAGE_PATTERN,
            "a Debian package",
            defaults.KERNEL_PACKAGE,
        )
    ),
    WithJsonSchema({"type": "string", "pattern": fields.PACKAGE_PATTERN}),
]
Version: TypeAlias = Annotated[
    str,
    AfterValidator(partial(fields.check_pattern, fields.VERSION_PATTERN, "a version", "4.17.5")),
    WithJsonSchema({"type": "string", "pattern": fields.VERSION_PATTERN}),
]
CpuModel: TypeAlias = Annotated[
    str,
    AfterValidator(
        partial(fields.check_pattern, fields.CPU_MODEL_PATTERN, "a CPU of QEMU", defaults.CPU_MODEL)
    ),
    WithJsonSchema({"type": "string", "pattern": fields.CPU_MODEL_PATTERN}),
]
Cpus: TypeAlias = Annotated[int, Field(ge=1, le=defaults.CPUS_MAX)]
MtuBytes: TypeAlias = Annotated[int, Field(ge=defaults.MTU_MIN_BYTES, le=defaults.MTU_MAX_BYTES)]
Feature: TypeAlias = Annotated[
    str,
    AfterValidator(fields.check_feature),
    WithJsonSchema({"type": "string", "enum": list(fields.FEATURES)}),
]
Switch: TypeAlias = Annotated[
    bool,
    BeforeValidator(fields.parse_switch),
    WithJsonSchema({"enum": [True, False, "on", "off"]}),
]
PathText: TypeAlias = Annotated[
    str,
    AfterValidator(partial(fields.check_pattern, fields.PATH_PATTERN, "a path", "~/linux")),
    WithJsonSchema({"type": "string", "pattern": fields.PATH_PATTERN}),
]
Patches: TypeAlias = Annotated[list[PathText], Field(max_length=defaults.PATCHES_MAX)]
Revision: TypeAlias = Annotated[
    str,
    AfterValidator(
        partial(fields.check_pattern, fields.REVISION_PATTERN, "the name of a commit", "v6.12")
    ),
    WithJsonSchema({"type": "string", "pattern": fields.REVISION_PATTERN}),
]
SshAddress: TypeAlias = Annotated[
    str,
    AfterValidator(check_ssh),
    WithJsonSchema({"type": "string", "pattern": SSH_PATTERN}),
]
