"""xlflow reads files and statistics of devices, and counters with them."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from xenlab.guest.counters import parse_counters
from xenlab.guest.reading import parse_node_files


def test_files_are_read_by_patterns_and_what_is_not_there_is_not_told(
    programs: Path, tmp_path: Path
) -> None:
    for name, text in {"one": "1\n", "two": "a: b\n\nc", "none": ""}.items():
        (tmp_path / name).write_text(text)
    (tmp_path / "one-folder").mkdir()
    patterns = [f"{tmp_path}/one*", f"{tmp_path}/two", f"{tmp_path}/none", f"{tmp_path}/lacking"]
    told = parse_node_files(read(programs, *patterns, "--", "lacking"))
    assert told.files == {f"{tmp_path}/one": ("1",), f"{tmp_path}/two": ("a: b", "", "c")}
    assert told.statistics == {}


def test_counters_come_on_the_first_line(programs: Path) -> None:
    counters, _newline, files = read(programs, "--counters", "/proc/version", "--").partition("\n")
    assert parse_counters("here", counters.encode()).devices["lo"]
    assert parse_node_files(files).files["/proc/version"][0].startswith("Linux version")


# Each of the pair counts one thing, the number of the other.
PAIRED = """
ip link add here type veth peer name there
ip -o link show >&2
exec "$@"
"""


def test_statistics_are_those_of_the_driver(programs: Path) -> None:
    space = ["unshare", "--user", "--map-root-user", "--net", "sh", "-e", "-c", PAIRED, "sh"]
    argv = [*space, str(programs / "xlflow"), "read", "--", "here", "lo", "there"]
    done = subprocess.run(argv, capture_output=True, text=True, check=True, timeout=10)
    numbers = dict(re.findall(r"^(\d+): (\w+)@", done.stderr, re.MULTILINE))
    statistics = parse_node_files(done.stdout).statistics
    assert set(statistics) == set(numbers.values()) == {"here", "there"}
    for number, device in numbers.items():
        (other,) = {"here", "there"} - {device}
        assert statistics[other]["peer_ifindex"] == int(number)


def read(programs: Path, *words: str) -> str:
    argv = [str(programs / "xlflow"), "read", *words]
    return subprocess.run(argv, capture_output=True, text=True, check=True, timeout=10).stdout
