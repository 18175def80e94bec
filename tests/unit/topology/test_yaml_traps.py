"""What YAML does to those who do not look: each trap refused, or read as it is written."""

from __future__ import annotations

import time

import pytest

from xenlab.topology.document import Value, read_document
from xenlab.topology.stream import (
    ALIASES_MAX,
    DEPTH_MAX,
    FILE_MAX_BYTES,
    NODES_MAX,
    Position,
    Unreadable,
)

NO_NODE = "not YAML: did not find expected node content"
NO_COMMA = "not YAML: did not find expected ','"


def read_value(text: str) -> Value:
    document = read_document(text.encode())
    assert document.problems == ()
    return document.value


def refusal(raw: bytes) -> tuple[Position, str]:
    with pytest.raises(Unreadable) as caught:
        read_document(raw)
    return caught.value.problem.position, caught.value.problem.message


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("52:54:00:12:34:56", "52:54:00:12:34:56"),
        ("52:54:00:11:22:33", "52:54:00:11:22:33"),
        ("12:30:45", "12:30:45"),
        ("2026-01-01", "2026-01-01"),
        ("1_000", "1_000"),
        ("no", "no"),
        ("off", "off"),
        ("on", "on"),
        ("y", "y"),
        ("true", True),
        ("False", False),
        ("0777", 777),
        ("0o777", 511),
        ("0x1F", 31),
        ("+5", 5),
        ("-3", -3),
        ("1e3", 1000.0),
        (".inf", float("inf")),
        ("-.INF", float("-inf")),
        ("~", None),
        ("", None),
        ("null", None),
        ("'1'", "1"),
        ('"~"', "~"),
    ],
)
def test_scalar_is_read_as_yaml_1_2_core_says(written: str, read: Value) -> None:
    value = read_value(f"key: {written}\n")
    assert value == {"key": read}
    assert isinstance(value, dict)
    assert type(value["key"]) is type(read)


def test_version_6_10_keeps_its_text_beside_the_number() -> None:
    document = read_document(b"version: 6.10\n")
    assert document.sources["version",] == "6.10"


def test_merge_key_is_a_plain_key() -> None:
    assert read_value("<<: x") == {"<<": "x"}


def test_duplicate_key_keeps_the_first_value_and_is_a_problem_at_the_second() -> None:
    document = read_document(b"a: 1\nb:\n  c: 2\n  c: 3\na: 4\n")
    assert document.value == {"a": 1, "b": {"c": 2}}
    assert [(problem.position.line, problem.message) for problem in document.problems] == [
        (4, "key `c` stands twice (first in line 3)"),
        (5, "key `a` stands twice (first in line 1)"),
    ]


@pytest.mark.parametrize("raw", [b"a: ]", b"a:\n  - ]"])
def test_where_no_bracket_is_open_none_is_named(raw: bytes) -> None:
    assert refusal(raw)[1] == NO_NODE


def test_duplicate_key_is_found_behind_another_spelling() -> None:
    assert len(read_document(b'{lan: 1, "l\\u0061n": 2}').problems) == 1


@pytest.mark.parametrize("key", ["1", "1.5", "true", "~", "[a]", "{a: b}"])
def test_key_that_is_not_text_is_a_problem(key: str) -> None:
    problems = read_document(f"? {key}\n: x\n".encode()).problems
    assert [problem.position for problem in problems] == [Position(line=1, column=3)]


def test_number_of_10000_digits_is_a_problem_and_not_an_exception() -> None:
    (problem,) = read_document(b"a: " + b"9" * 10_000).problems
    assert "too long" in problem.message


def test_positions_count_from_one_and_survive_nesting() -> None:
    document = read_document(b"a:\n  - b: 1\n    c: {d: 2}\n")
    assert document.position_of(("a", 0, "c", "d")) == Position(line=3, column=12)
    assert document.position_of_key(("a", 0, "c", "d")) == Position(line=3, column=9)
    assert document.position_of(("a", 0, "absent", "deeper")) == Position(line=2, column=5)


def test_byte_order_mark_is_passed_over() -> None:
    assert read_document(b"\xef\xbb\xbfa: 1").value == {"a": 1}


def test_billion_laughs_is_refused_at_once() -> None:
    lines = ["a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 10)]
    started_s = time.monotonic()
    where, message = refusal("\n".join(lines).encode())
    assert time.monotonic() - started_s < 1
    assert message == f"more than {NODES_MAX} values, aliases written out"
    assert where.line > 1


def test_20000_open_brackets_are_refused_without_recursion() -> None:
    where, message = refusal(b"[" * 20_000)
    assert message == f"nested more than {DEPTH_MAX} deep"
    assert where == Position(line=1, column=DEPTH_MAX + 1)


def test_deepest_allowed_nesting_is_read() -> None:
    assert read_document(b"[" * DEPTH_MAX + b"]" * DEPTH_MAX).value


def test_more_anchors_and_aliases_than_allowed_are_refused() -> None:
    aliases = ["- &a x", *["- *a"] * (ALIASES_MAX - 1)]
    assert read_document("\n".join(aliases).encode()).value == ["x"] * ALIASES_MAX
    assert "anchors" in refusal("\n".join([*aliases, "- *a"]).encode())[1]


def test_more_values_than_allowed_are_refused() -> None:
    assert "more than" in refusal(b"- x\n" * (NODES_MAX + 1))[1]


@pytest.mark.parametrize(
    ("raw", "where", "message"),
    [
        (b"a: &a [*a]", (1, 8), "alias `a` has no finished anchor"),
        (b"a: *b", (1, 4), "alias `b` has no finished anchor"),
        (b"a: &x 1\nb: &x 2", (2, 4), "not YAML: second occurrence"),
        (b"a: !!python/object:os.system x", (1, 4), "tags such as "),
        (b"a: !!str 5", (1, 4), "tags such as "),
        (b"a: !x [1]", (1, 4), "tags such as "),
        (b"a: 1\x00", (1, 5), "control character U+0000"),
        (b"a:\n b: \x1b[2J", (2, 5), "control character U+001B"),
        (b"a: 1\nb: \xff", (2, 4), "not UTF-8"),
        ("a: b".encode("utf-16"), (1, 1), "not UTF-8"),
        (b"a: b: c", (1, 5), "not YAML: mapping values"),
        (b"a:\n\t- b", (2, 1), "not YAML: a tab, where YAML is indented with spaces"),
        ("ä: \U0001f600\n\tb: c".encode(), (2, 1), "not YAML: found a tab character"),
        ("ä: \U0001f600\r\nb:\r\n\t- c".encode(), (3, 1), "not YAML: a tab, where"),
        ("ä: '\u2028'\nb: @".encode(), (3, 4), "not YAML: found character"),
        (b"a: @", (1, 4), "not YAML: found character that cannot start any token"),
        (b"a: 1\nb: [\n", (3, 1), f"{NO_NODE}; the `[` of line 2 is still open"),
        (b"a: [1,\n 2\nb: 3", (3, 2), f"{NO_COMMA} or ']'; the `[` of line 1 is still open"),
        (b"a: [\n {x: 1\nb: 3", (3, 2), f"{NO_COMMA} or '}}'; the `{{` of line 2 is still open"),
        (b"a: [{b: 1}\n", (2, 1), f"{NO_COMMA} or ']'; the `[` of line 1 is still open"),
        (b'a: "\\ud800"', (1, 7), "not YAML: found invalid Unicode"),
        (b"--- 1\n--- 2\n", (2, 1), "not YAML: but found another document"),
        (b"%YAML 9.9\n--- 1\n", (1, 1), "not YAML: found incompatible"),
        (b"", (1, 1), "the file is empty"),
        (b"# nothing but a comment\n", (1, 1), "the file is empty"),
        (b" " * (FILE_MAX_BYTES + 1), (1, 1), "the file is larger than 1 MiB"),
    ],
)
def test_what_is_not_one_plain_document_is_refused_where_it_goes_wrong(
    raw: bytes, where: tuple[int, int], message: str
) -> None:
    position, found = refusal(raw)
    assert found.startswith(message)
    assert (position.line, position.column) == where
