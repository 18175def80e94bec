"""Topologies by name and by path, and files that are none."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from xenlab.errors import InputError
from xenlab.topology.library import SHIPPED, find_topology, name_of_path, topology_paths
from xenlab.topology.loading import load_topology, load_topology_file


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project directory as the current one, with an empty user configuration beside it."""
    project = tmp_path / "project"
    (project / "topologies").mkdir(parents=True)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.chdir(project)
    return project


def write_topology(folder: Path, name: str, domu: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(f"domus: {{{domu}: }}\n")
    return path


def test_shipped_topology_is_found_by_name(project: Path) -> None:
    assert list(project.joinpath("topologies").iterdir()) == []
    assert [domu.name for domu in load_topology("pair").domus] == ["alice", "bob"]


def test_project_comes_before_user_and_user_before_shipped(project: Path) -> None:
    user = project.parent / "config" / "xenlab" / "topologies"
    write_topology(user, "pair.yaml", "usher")
    write_topology(user, "mine.yaml", "usher")
    assert load_topology("pair").domus[0].name == "usher"
    write_topology(project / "topologies", "pair.yaml", "priya")
    assert load_topology("pair").domus[0].name == "priya"
    assert load_topology("mine").domus[0].name == "usher"
    assert topology_paths()["quad"] == SHIPPED / "quad.yaml"


def test_path_is_taken_as_it_is(project: Path) -> None:
    path = write_topology(project / "elsewhere", "My Lab 2.yaml", "alice")
    assert load_topology(str(path)).name == "my-lab-2"
    assert load_topology("elsewhere/My Lab 2.yaml").name == "my-lab-2"


@pytest.mark.usefixtures("project")
def test_unknown_name_is_guessed_and_all_are_listed() -> None:
    with pytest.raises(InputError) as caught:
        find_topology("pear")
    (problem,) = caught.value.problems
    assert "no topology `pear`; did you mean `pair`?" in problem
    assert "`pair`, `pair-dom0-pvh`, `pair-hvm`, `pair-no-defer`, `pair-pvh`," in problem
    assert "`pair-pvshim`, `quad`," in problem


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize("name", ["a\0b", "\u202e", "", "x" * 5000, "-o", "a\x1b[2J"])
def test_strange_name_is_refused_and_shown_safely(name: str) -> None:
    with pytest.raises(InputError) as caught:
        load_topology(name)
    assert str(caught.value).isascii()
    assert str(caught.value).isprintable()


def test_file_in_a_topologies_folder_without_a_safe_name_has_no_name(project: Path) -> None:
    write_topology(project / "topologies", "-x.yaml", "alice")
    write_topology(project / "topologies", "X.yaml", "alice")
    cells = sorted([*(f"iommu-i{number}" for number in range(1, 9)), "iommu-i4-virtio"])
    shipped = ["pair", "pair-dom0-pvh", "pair-hvm", "pair-no-defer", "pair-pvh", "pair-pvshim"]
    shipped += ["quad", "queues-1-2", "queues-3-4", "routed", "single", "two-nets", "untrusted"]
    shipped += ["uplink", "uplink-no-xen"]
    assert list(topology_paths()) == ["driver-domain", *cells, *shipped]


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("absent", "no such file"),
        ("folder", "not a regular file"),
        ("fifo", "not a regular file"),
        ("device", "not a regular file"),
        ("loop", "too many levels of symbolic links"),
        ("nul", "not a file name"),
        ("below a file", "no such file"),
    ],
)
def test_what_is_no_file_is_refused_without_waiting(
    kind: str, message: str, tmp_path: Path
) -> None:
    path = tmp_path / "lab.yaml"
    match kind:
        case "folder":
            path.mkdir()
        case "fifo":
            os.mkfifo(path)
        case "device":
            path = Path("/dev/zero")
        case "loop":
            path.symlink_to(path)
        case "nul":
            path = tmp_path / "a\0b.yaml"
        case "below a file":
            path.write_text("x")
            path /= "lab.yaml"
    with pytest.raises(InputError) as caught:
        load_topology_file(path)
    assert str(caught.value).endswith(f":1:1: {message}")
    assert (caught.value.try_next == "xenlab topologies") == (message == "no such file")
    assert str(caught.value).isprintable()


def test_huge_file_is_refused_without_reading_it_whole(tmp_path: Path) -> None:
    path = tmp_path / "huge.yaml"
    with path.open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(InputError, match="larger than 1 MiB"):
        load_topology_file(path)


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("pair.yaml", "pair"),
        ("net2.yaml", "net2"),
        ("My Lab.yaml", "my-lab"),
        ("2nd try.yml", "nd-try"),
        ("é\u202e.yaml", "topology"),
        ("-.yaml", "topology"),
        ("a-very-long-file-name.yaml", "a-very-long-fil"),
        ("a-very-long-fi le.yaml", "a-very-long-fi"),
    ],
)
def test_name_of_a_path_is_always_safe(file: str, name: str) -> None:
    assert name_of_path(Path("some/where") / file) == name
