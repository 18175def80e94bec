"""Which commands there are, and how each of them ends."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import click
import pytest

from tests.unit.cli.conftest import Run
from tests.unit.house.repository import ROOT
from xenlab import __version__
from xenlab.cli.main import CALLED_HERE, COMMANDS
from xenlab.cli.signals import Interrupted
from xenlab.errors import LabError

HEAVY = ("numpy", "libvirt", "paramiko", "pydantic", "pytest", "rich", "tenacity", "yaml")


def test_help_lists_every_command_in_the_order_of_first_need(xenlab: Run) -> None:
    said = xenlab("--help")

    listed = [line.split()[0] for line in said.out.splitlines() if line.startswith("  ")]
    assert [word for word in listed if word in COMMANDS] == list(COMMANDS)
    assert said.code == 0


@pytest.mark.parametrize("group", [[], ["images"]])
def test_list_of_commands_has_no_sentence_cut_short(xenlab: Run, group: list[str]) -> None:
    assert "..." not in xenlab(*group, "--help").out.partition("Commands:")[2]


@pytest.mark.parametrize("option", ["--json", "--junit"])
@pytest.mark.parametrize("path", ["/nowhere/result", "/"])
def test_result_that_cannot_be_written_is_told_before_the_work(
    xenlab: Run, option: str, path: str
) -> None:
    said = xenlab("test", option, path)

    assert said.code == 2
    assert option in said.err
    assert said.out == ""


@pytest.mark.parametrize("command", list(COMMANDS))
def test_every_command_has_help(xenlab: Run, command: str) -> None:
    said = xenlab(command, "--help")

    assert (said.code, said.err) == (0, "")
    assert said.out.startswith(f"Usage: xenlab {command}")


def test_version_is_told(xenlab: Run) -> None:
    assert xenlab("--version").out == f"xenlab {__version__}\n"


def test_wrong_command_ends_with_2_and_the_one_that_was_meant(xenlab: Run) -> None:
    said = xenlab("statsu")

    assert said.code == 2
    assert "no command `statsu`; did you mean `status`?" in said.err


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("list", "`status` or `topologies`"),
        ("run", "`test`"),
        ("start", "`up`"),
        ("stop", "`down`"),
        ("help", "`--help`"),
        ("version", "`--version`"),
    ],
)
def test_command_of_another_tool_gets_what_it_is_called_here(
    xenlab: Run, word: str, meant: str
) -> None:
    said = xenlab(word)

    assert said.code == 2
    assert f"no command `{word}`; did you mean {meant}?\n" in said.err


def test_every_name_from_elsewhere_leads_to_something_that_is_there() -> None:
    meant = {name for names in CALLED_HERE.values() for name in names}

    assert meant <= {*COMMANDS, "--help", "--version"}
    assert not CALLED_HERE.keys() & COMMANDS.keys()


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (("--lab", "x", "logs", "dom0"), "--lab goes behind the command: xenlab logs --lab x dom0"),
        (("-k", "a b", "test"), "-k goes behind the command: xenlab test -k 'a b'"),
        (("--lab", "x", "doctor"), "No such option '--lab'"),
        (("--lab", "x"), "No such option '--lab'"),
    ],
)
def test_option_before_its_command_is_told_its_place(
    xenlab: Run, words: tuple[str, ...], line: str
) -> None:
    said = xenlab(*words)

    assert said.code == 2
    assert line in said.err


def test_wrong_option_ends_with_2(xenlab: Run) -> None:
    assert xenlab("up", "--colder").code == 2


def test_wrong_topology_ends_with_2_and_the_one_that_was_meant(xenlab: Run) -> None:
    said = xenlab("up", "piar", "--dry-run")

    assert said.code == 2
    assert "did you mean `pair`?" in said.err
    assert said.err.endswith("  try: xenlab topologies\n")


def test_every_problem_of_a_file_is_printed_as_editors_read_it(xenlab: Run, home: Path) -> None:
    (home / "project" / "bad.yaml").write_text("domus:\n  alice: {memroy: 1}\n  bob: {vcpus: -1}\n")

    said = xenlab("up", "./bad.yaml", "--dry-run")

    assert said.code == 2
    assert {line.split(": ")[0] for line in said.err.splitlines()} >= {
        "bad.yaml:2:11", "bad.yaml:3:16"
    }  # fmt: skip


def test_lab_name_that_could_be_an_option_or_a_path_is_refused(xenlab: Run) -> None:
    for name in ("-oProxyCommand=x", "../x", "$(id)", "a" * 300, "Name", ""):
        said = xenlab("down", "--", name) if name else xenlab("up", "--lab", "A", "--dry-run")
        assert said.code == 2, name


def test_bug_ends_with_3_and_a_crash_file_in_place_of_a_traceback(
    xenlab: Run, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(COMMANDS, "broken", "no_such_module:command")

    said = xenlab("broken")

    assert said.code == 3
    assert "a bug in xenlab: ModuleNotFoundError" in said.err
    assert "Traceback" not in said.err
    (crash,) = (home / "state" / "xenlab" / "crashes").iterdir()
    assert str(crash) in said.err
    assert "Traceback" in crash.read_text()
    assert "$ xenlab broken" in crash.read_text()


def test_error_on_the_way_out_of_an_interruption_hides_it_not(
    xenlab: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    @click.command
    def interrupted() -> None:
        try:
            raise Interrupted(signal.SIGTERM)
        finally:
            raise LabError("libvirtd went first")

    module = ModuleType("xenlab.cli.interrupted")
    monkeypatch.setattr(module, "command", interrupted, raising=False)
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setitem(COMMANDS, "interrupted", "interrupted:command")

    said = xenlab("interrupted")

    assert said.code == 128 + signal.SIGTERM
    assert "libvirtd went first" in said.err
    assert "xenlab: interrupted" in said.err


def test_state_directory_that_cannot_be_made_ends_with_4_and_its_name(
    xenlab: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", "/sys/xenlab-state")

    said = xenlab("test", "smoke")

    assert said.code == 4
    assert "/sys/xenlab-state" in said.err
    assert "Traceback" not in said.err


def test_every_topology_is_understood_before_anything_is_made(
    xenlab: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", "/sys/xenlab-state")  # nothing can be made there

    said = xenlab("test", "smoke", "--topology", "pair", "--topology", "piar")

    assert said.code == 2
    assert "did you mean `pair`?" in said.err


@pytest.mark.parametrize(
    "words", [["--help"], ["status"], ["status", "--json"], ["slots", "--json", "lin=42@0"]]
)
def test_quick_commands_import_nothing_heavy(home: Path, words: list[str]) -> None:
    program = (
        "import sys; from xenlab.cli.main import run; "
        f"assert run({words}) == 0; print('heavy:', *({set(HEAVY)} & sys.modules.keys()))"
    )
    said = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert said.stdout.splitlines()[-1] == "heavy:"


def test_output_that_nobody_reads_ends_without_a_word(home: Path) -> None:
    program = "import sys; from xenlab.cli.main import main; main()"
    with subprocess.Popen(
        [sys.executable, "-c", program, "topologies"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as listing:
        assert listing.stdout is not None
        assert listing.stderr is not None
        listing.stdout.close()
        assert (listing.stderr.read(), listing.wait()) == (b"", 141)
