"""The text of a layout: what is written is read back, and each wrong word is named."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.slots.layouts import UNHURRIED, layouts
from xenlab.errors import InputError
from xenlab.slots.layout import Checksum, Frag, Layout, Protocol, parse_layout


@UNHURRIED
@given(layouts(max_frags=45))
def test_layout_that_is_written_and_read_is_the_same(layout: Layout) -> None:
    assert parse_layout(str(layout)) == layout


@UNHURRIED
@given(layouts(), st.randoms(use_true_random=False))
def test_words_stand_in_any_order(layout: Layout, random: Random) -> None:
    words = str(layout).split()
    random.shuffle(words)

    assert parse_layout("  ".join(words)) == layout


def test_canonical_text_leaves_defaults_out() -> None:
    assert str(Layout(linear_bytes=42, linear_offset_bytes=100)) == "lin=42@100"


def test_canonical_text_says_all_that_is_not_a_default() -> None:
    layout = Layout(
        linear_bytes=70, linear_offset_bytes=4061,
        frags=(Frag(order=3, offset_bytes=4095, size_bytes=4098),
               Frag(order=0, offset_bytes=0, size_bytes=0)),
        gso_size_bytes=1448, protocol=Protocol.TCP6, checksum=Checksum.NONE,
    )  # fmt: skip

    assert str(layout) == "lin=70@4061 frag=3:4095:4098,0:0:0 gso=1448 csum=none proto=tcp6"
    assert layout.length_bytes == 70 + 4098


def test_headers_are_as_long_as_the_protocols_say() -> None:
    assert [protocol.header_bytes for protocol in Protocol] == [42, 62, 54, 74]


WRONG = {
    "": ["`lin` is missing; for example `lin=42@100 frag=0:4000:96,3:4095:4098`"],
    "line=42@0": ["`line=42@0`: unknown word; did you mean `lin`?"],
    "lin=42@0 xyzzy": [
        "`xyzzy`: unknown word; known here: `lin`, `frag`, `gso`, `csum`, `proto`"
    ],
    "lin=42": ["`lin=42`: should be LENGTH@OFFSET, like `lin=42@100`"],
    "lin=42@0 lin=42@0": ["`lin`: stands 2 times"],
    "lin=42@0 gso": ["`gso`: has no value; for example `lin=42@100 frag=0:4000:96,3:4095:4098`"],
    "lin=42@4096": ["`lin=42@4096`: the offset is 0 to 4095, not 4096"],
    "lin=0@0": ["`lin=0@0`: the length is 1 to 4190208, not 0"],
    "lin=42@0 gso=65536": ["`gso=65536`: should be 0 (none) to 65535"],
    "lin=42@0 gso=-1": ["`gso=-1`: should be a segment size, like `gso=1448`"],
    "lin=42@0 gso=\u0664": [
        "`gso=\\u0664`: should be a segment size, like `gso=1448`"
    ],
    "lin=42@0 csum=partal": [
        "`csum=partal`: not one of `partial`, `none`; did you mean `partial`?"
    ],
    "lin=42@0 frag=0:1:2:3": [
        "frag 1: `0:1:2:3`: should be ORDER:OFFSET:SIZE, like `3:4095:4098`"
    ],
    "lin=42@0 frag=11:0:1": ["frag 1: `11:0:1`: the order is 0 to 10, not 11"],
    "lin=42@0 frag=1:8192:0": [
        "frag 1: `1:8192:0`: a page of order 1 has offsets 0 to 8191, not 8192"
    ],
    "lin=42@0 frag=0:0:1,0:4000:97": [
        "frag 2: `0:4000:97`: ends at 4097, beyond the 4096 bytes of a page of order 0"
    ],
    "lin=42@0 frag=" + ",".join(["0:0:1"] * 46): [
        "`frag`: 46 frags; no kernel takes more than 45"
    ],
}  # fmt: skip


@pytest.mark.parametrize(("text", "problems"), WRONG.items())
def test_wrong_word_is_named_with_what_would_be_right(text: str, problems: list[str]) -> None:
    with pytest.raises(InputError) as caught:
        parse_layout(text)

    assert list(caught.value.problems) == problems


def test_all_wrong_words_are_named_at_once() -> None:
    with pytest.raises(InputError) as caught:
        parse_layout("lin=1@9999 frag=0:0:9999,9 gso=x proto=udp csum=full offset=3")

    named = ["offset=3", "0:0:9999", "`9`", "gso=x", "proto=udp", "csum=full", "lin=1@9999"]
    assert len(caught.value.problems) == len(named)
    for word in named:
        assert any(word in problem for problem in caught.value.problems)


def test_frag_that_no_page_holds_cannot_be_made() -> None:
    with pytest.raises(InputError):
        Frag(order=0, offset_bytes=1, size_bytes=4096)
    with pytest.raises(InputError):
        Frag(order=0, offset_bytes=0, size_bytes=-1)
    assert Frag(order=0, offset_bytes=0, size_bytes=4096).size_bytes == 4096
