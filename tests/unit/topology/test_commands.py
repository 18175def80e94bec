"""`xenlab validate` and `xenlab topologies`, run as click runs them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from xenlab.cli.topology import topologies, validate
from xenlab.errors import InputError


@pytest.fixture(autouse=True)
def _no_topologies_but_shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.chdir(tmp_path)


def test_validate_says_ok_and_what_it_saw() -> None:
    result = CliRunner().invoke(validate, ["pair", "routed"])
    assert result.exception is None
    assert [line.split() for line in result.stdout.splitlines()] == [
        ["FILE", "DOMUS", "NETWORKS", "MEMORY"],
        ["OK", "pair", "alice,", "bob", "lan", "1152", "MiB"],
        ["OK", "routed", "alice,", "bob", "left,", "right", "1152", "MiB"],
    ]


def test_validate_raises_every_problem_of_every_file(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / f"{name}.yaml").write_text("domus: {A: , b: {vcpu: 1}}\n")
    result = CliRunner().invoke(validate, ["one.yaml", "pair", "two.yaml"])
    assert isinstance(result.exception, InputError)
    starts = [problem.partition(": ")[0] for problem in result.exception.problems]
    assert starts == ["one.yaml:1:9", "one.yaml:1:18", "two.yaml:1:9", "two.yaml:1:18"]
    assert result.stdout.count("OK") == 1


def test_validate_json_holds_good_and_bad(tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text("domus: []\n")
    result = CliRunner().invoke(validate, ["--json", "bad.yaml", "single"])
    assert isinstance(result.exception, InputError)
    report = json.loads(result.stdout)
    assert report["schema_version"] == 1
    bad, good = report["files"]
    assert (bad["file"], bad["valid"], len(bad["problems"])) == ("bad.yaml", False, 1)
    assert (good["valid"], good["domus"], good["networks"]) == (True, ["alice"], ["lan"])


def test_validate_without_a_file_is_a_usage_error() -> None:
    assert CliRunner().invoke(validate, []).exit_code == 2


def test_validate_schema_is_json_schema() -> None:
    result = CliRunner().invoke(validate, ["--schema"])
    assert json.loads(result.stdout)["$schema"].startswith("https://json-schema.org/")


def test_topologies_lists_the_shipped_ones_and_marks_the_default() -> None:
    lines = CliRunner().invoke(topologies, []).stdout.splitlines()
    assert [line.split()[0] for line in lines] == [
        "NAME",
        "driver-domain",
        *(f"iommu-i{number}" for number in range(1, 5)),
        "iommu-i4-virtio",
        *(f"iommu-i{number}" for number in range(5, 9)),
        "pair",
        "pair-dom0-pvh",
        "pair-hvm",
        "pair-no-defer",
        "pair-pvh",
        "pair-pvshim",
        "quad",
        "queues-1-2",
        "queues-3-4",
        "routed",
        "single",
        "two-nets",
        "untrusted",
        "uplink",
        "uplink-no-xen",
    ]
    (default,) = [line for line in lines if "(default)" in line]
    assert default.startswith("pair ")
    assert "alice and bob on one bridge in dom0" in default


def test_topologies_shows_a_broken_one_as_broken(tmp_path: Path) -> None:
    (tmp_path / "topologies").mkdir()
    (tmp_path / "topologies" / "mine.yaml").write_text("domus: []\n")
    assert "broken, see: xenlab validate mine" in CliRunner().invoke(topologies, []).stdout
    entries = json.loads(CliRunner().invoke(topologies, ["--json"]).stdout)["topologies"]
    by_name = {entry["name"]: entry for entry in entries}
    assert by_name["mine"]["valid"] is False
    assert by_name["pair"]["default"] is True
    assert by_name["two-nets"]["networks"] == ["left", "right"]


def test_commands_are_imported_without_pydantic_and_yaml() -> None:
    code = (
        "import sys, xenlab.cli.topology, xenlab.plan.model\n"
        "print({'pydantic', 'yaml', 'platformdirs'} & sys.modules.keys())"
    )
    result = subprocess.run(
        [sys.executable, "-c", code],
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        check=True,
    )
    assert result.stdout == "set()\n"
