"""The shipped manifests say what they mean, and a wrong one is refused."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from xenlab.images.manifest import Role, parse_manifest, read_manifest
from xenlab.images.tools import tool_files

MINIMAL = """
packages: [busybox-static, "xen-utils-{xen}"]
without: []
keep: [usr/bin/busybox]
modules: {required: [xenfs]}
"""


@pytest.mark.parametrize("role", Role)
def test_shipped_manifest_names_nothing_twice(role: Role) -> None:
    manifest = read_manifest(role)

    for names in (
        manifest.packages,
        manifest.without,
        manifest.keep,
        manifest.drop,
        manifest.folders,
        (*manifest.modules.required, *manifest.modules.if_present),
    ):
        assert sorted(set(names)) == sorted(names)


@pytest.mark.parametrize("role", Role)
def test_shipped_manifest_has_the_sources_of_its_tools(role: Role) -> None:
    for name in read_manifest(role).tools:
        assert any(path.suffix == ".c" for path in tool_files(name))


def test_each_end_of_a_vif_has_its_driver() -> None:
    dom0, domu = (read_manifest(role).modules.required for role in Role)

    assert "xen-netback" in dom0
    assert "xen-netback" not in domu
    assert "xen-netfront" in domu


def test_xens_series_is_filled_in() -> None:
    names = parse_manifest(MINIMAL).package_names("4.17")

    assert names == ("busybox-static", "xen-utils-4.17")


def test_what_a_kind_of_domu_needs_is_in_the_image_of_such_a_lab_alone() -> None:
    text = MINIMAL + "on_demand: {pvshim: {packages: [shims], keep: [boot/xen-shim]}}"
    manifest = parse_manifest(text)
    with_it, without = (manifest.for_kinds(kinds) for kinds in (("pv", "pvshim"), ("pv", "pvh")))

    assert with_it.packages == ("busybox-static", "xen-utils-{xen}", "shims")
    assert with_it.keep == ("usr/bin/busybox", "boot/xen-shim")
    assert without == parse_manifest(MINIMAL)


@pytest.mark.parametrize(
    ("text", "field"),
    [
        (MINIMAL + "keeps: []", "keeps"),
        (MINIMAL.replace("required: [xenfs]", "required: [1]"), "modules.required.0"),
        (MINIMAL.replace("without: []", ""), "without"),
        ("packages: 3", "packages"),
    ],
)
def test_wrong_manifest_is_refused_by_field(text: str, field: str) -> None:
    with pytest.raises(ValidationError, match=field):
        parse_manifest(text)
