"""Layouts from a file: what was kept is read back, and everything wrong is told with its place."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import pytest

from xenlab.errors import InputError, MeasurementError
from xenlab.slots.boundaries import boundary_layouts, sweep_layouts
from xenlab.slots.layout import MAX_FRAGS
from xenlab.slots.random_layouts import random_layouts, widest_mix
from xenlab.traffic.layout_file import PROBLEMS_MAX, read_layout_file, require_frags
from xenlab.verdict.layouts import LAYOUTS_FILE


def write(folder: Path, text: str) -> str:
    path = folder / "layouts.txt"
    path.write_text(text)
    return str(path)


def problems_of(file: str) -> list[str]:
    with pytest.raises(InputError) as raised:
        read_layout_file(file)
    return [problem.removeprefix(f"{file}:") for problem in raised.value.problems]


def test_every_layout_that_a_suite_sends_can_be_read_back(tmp_path: Path) -> None:
    random = islice(random_layouts(7, widest_mix(MAX_FRAGS)), 500)
    layouts = (*sweep_layouts(1), *boundary_layouts(), *random)

    file = write(tmp_path, "".join(f"{layout}\n" for layout in layouts))

    assert read_layout_file(file) == layouts


def test_comments_and_empty_lines_are_no_layouts(tmp_path: Path) -> None:
    file = write(tmp_path, "# alice -> bob\n\n  lin=70@4061 frag=1:4095:2 # two slots each\n")

    assert [str(each) for each in read_layout_file(file)] == ["lin=70@4061 frag=1:4095:2"]


def test_everything_wrong_is_told_at_once_with_line_and_column(tmp_path: Path) -> None:
    file = write(
        tmp_path,
        "lin=70@0\n"
        "lin=70@0 frga=0:0:1\n"
        "  frag=0:0:1\n"
        "lin=70@0 frag=0:0:1,3:4095 gso=x\n"
        "lin=70@5000\n",
    )

    problems = problems_of(file)

    assert [problem.split(": ")[0] for problem in problems] == [
        "2:10",
        "3:3",
        "4:21",
        "4:28",
        "5:1",
    ]
    assert "unknown word; did you mean `frag`?" in problems[0]
    assert "`lin` is missing" in problems[1]


@pytest.mark.parametrize(
    ("line", "place", "why"),
    [
        ("lin=13@0 frag=0:0:100", "1:1", "needs 14 linear bytes or more"),
        ("lin=41@0", "1:1", "has 41 bytes; the composer sends 42 to 65549 of udp4"),
        ("lin=70000@0", "1:1", "has 70000 bytes"),
        ("lin=900@0 gso=100", "1:11", "GSO for TCP only"),
        ("lin=900@0 gso=100 proto=tcp4 csum=none", "1:11", "goes with `csum=partial` only"),
        ("lin=900@0 gso=15 proto=tcp4", "1:11", "least segment size is 16"),
    ],
)
def test_layout_that_the_composer_refuses_is_refused_before_there_is_a_lab(
    tmp_path: Path, line: str, place: str, why: str
) -> None:
    (problem,) = problems_of(write(tmp_path, line))

    assert problem.startswith(f"{place}: ")
    assert why in problem


def test_file_without_a_layout_or_that_is_none_is_refused(tmp_path: Path) -> None:
    assert problems_of(write(tmp_path, "# nothing\n")) == ["1:1: no layout in it"]
    (absent,) = problems_of(str(tmp_path / "none"))
    assert absent.startswith(f"--layout-file `{tmp_path / 'none'}`: no such file (a run")
    assert LAYOUTS_FILE in absent
    (tmp_path / "bytes").write_bytes(b"\xff\xfe")
    assert "no text in UTF-8" in problems_of(str(tmp_path / "bytes"))[0]


def test_file_that_is_wrong_throughout_does_not_fill_the_terminal(tmp_path: Path) -> None:
    problems = problems_of(write(tmp_path, "x=1\n" * 1000))

    assert len(problems) == PROBLEMS_MAX + 1
    assert problems[-1].endswith("and 950 more problems")


def test_layout_of_more_frags_than_the_kernel_has_is_no_result() -> None:
    layouts = sweep_layouts(1, max_frags=MAX_FRAGS)

    require_frags(layouts, "alice", MAX_FRAGS)
    with pytest.raises(MeasurementError, match=r"alice: MAX_SKB_FRAGS is 17, and .* have more"):
        require_frags(layouts, "alice", 17)
