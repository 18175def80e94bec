"""Options come from the command line, the environment, the project's file, the user's file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.unit.cli.conftest import Run


def write_settings(home: Path, *, project: str = "", user: str = "") -> None:
    """Put settings where xenlab looks for them."""
    for path, text in (
        (home / "project" / "xenlab.toml", project),
        (home / "config" / "xenlab" / "xenlab.toml", user),
    ):
        if text:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)


def accelerator(xenlab: Run, *words: str) -> str:
    """What `up` would use."""
    said = xenlab("up", "--dry-run", "--json", "-", *words)
    assert said.code == 0, said.err
    return str(json.loads(said.out)["accelerator"])


def test_each_source_comes_before_the_next(
    xenlab: Run, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert accelerator(xenlab) == "auto"
    write_settings(home, user='[up]\naccel = "kvm"\n')
    assert accelerator(xenlab) == "kvm"
    write_settings(home, project='[up]\naccel = "tcg"\n')
    assert accelerator(xenlab) == "tcg"
    monkeypatch.setenv("XENLAB_ACCEL", "kvm")
    assert accelerator(xenlab) == "kvm"
    assert accelerator(xenlab, "--accel", "tcg") == "tcg"


def test_every_option_has_a_word_in_the_environment(
    xenlab: Run, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XENLAB_UP_DRY_RUN", "1")

    assert "would be" in xenlab("up").out


def test_what_stands_above_all_tables_holds_for_every_command_that_has_it(
    xenlab: Run, home: Path
) -> None:
    write_settings(home, project='lab = "mine"\naccel = "tcg"\n')

    assert "lab mine" in xenlab("up", "--dry-run").out
    assert "there is no lab `mine`" in xenlab("exec", "alice", "true").err
    assert xenlab("status").code == 0


def test_project_file_is_found_from_a_folder_below(
    xenlab: Run, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_settings(home, project='accel = "tcg"\n')
    (home / "project" / "below").mkdir()
    monkeypatch.chdir(home / "project" / "below")

    assert accelerator(xenlab) == "tcg"


def test_command_of_a_group_has_a_table_in_its_groups_table(xenlab: Run, home: Path) -> None:
    write_settings(home, project="[images.build]\nofline = true\n")

    said = xenlab("status")

    assert said.code == 2
    assert "`images build` has no option `ofline`; did you mean `offline`?" in said.err


def test_every_unknown_word_is_named_with_its_place_and_the_one_that_was_meant(
    xenlab: Run, home: Path
) -> None:
    write_settings(
        home, project='# ours\nlab = "mine"\n[upp]\ncold = true\n\n[up]\n  frm = "bare"\n'
    )
    path = f"{home}/project/xenlab.toml"

    said = xenlab("status")

    assert said.code == 2
    assert said.err.splitlines()[:2] == [
        f"{path}:3:2: no command `upp`; did you mean `up`?",
        f"{path}:7:3: `up` has no option `frm`; did you mean `from`?",
    ]
    write_settings(home, user="aceel = 1\n")
    (home / "project" / "xenlab.toml").unlink()
    told = f"{home}/config/xenlab/xenlab.toml:1:1: no command has option `aceel`; did you mean"
    assert f"{told} `accel`?" in xenlab("status").err


@pytest.mark.parametrize(
    ("text", "place"),
    [("accel = \n", "1:9"), ("\n[up\n", "2:4"), ("x = [\n1,", "2:3")],
)
def test_file_that_is_not_toml_is_named_with_the_place(
    xenlab: Run, home: Path, text: str, place: str
) -> None:
    write_settings(home, project=text)

    said = xenlab("status")

    assert said.code == 2
    assert f"{home}/project/xenlab.toml:{place}: " in said.err
    assert "(at " not in said.err


def test_value_that_the_option_does_not_take_is_refused_with_its_place(
    xenlab: Run, home: Path
) -> None:
    project, user = (f"{home}/{name}/xenlab.toml" for name in ("project", "config/xenlab"))
    wrong = "'xen' is not one of 'auto', 'kvm', 'tcg'\n"

    write_settings(home, user='[up]\naccel = "xen"\n')
    assert xenlab("up", "--dry-run").err == f"{user}:2:1: accel: {wrong}"
    write_settings(home, project='\naccel = "xen"\n')
    said = xenlab("up", "--dry-run")
    assert (said.code, said.err) == (2, f"{project}:2:1: accel: {wrong}")
    assert "'--accel'" in xenlab("up", "--dry-run", "--accel", "xen").err


def test_value_of_a_variable_that_the_option_does_not_take_is_refused_with_its_name(
    xenlab: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XENLAB_ACCEL", "foo")

    said = xenlab("up", "--dry-run")

    assert said.code == 2
    assert said.err == "xenlab: XENLAB_ACCEL: 'foo' is not one of 'auto', 'kvm', 'tcg'\n"


def test_variable_that_sets_nothing_is_warned_of(
    xenlab: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    topology = "XENLAB_KERNEL_BUILD_TOPOLOGY"
    for name in ("XENLAB_ACEL", f"{topology[:-4]}LGY", "XENLAB_QQQ", "XENLAB_XEN"):
        monkeypatch.setenv(name, "trixie")

    said = xenlab("status")

    assert said.code == 0
    assert said.err.splitlines() == [
        "warning: XENLAB_ACEL sets no option; did you mean XENLAB_ACCEL?",
        f"warning: {topology[:-4]}LGY sets no option; did you mean {topology}?",
        "warning: XENLAB_QQQ sets no option",
    ]
