"""The XDP program that passes every packet, as an object file."""

from __future__ import annotations

import io

from elftools.elf.elffile import ELFFile
from elftools.elf.sections import SymbolTableSection

from xenlab.guest.xdp import build_program


def test_program_is_an_object_of_one_function_in_its_section() -> None:
    elf = ELFFile(io.BytesIO(build_program()))

    assert (elf["e_machine"], elf["e_type"]) == ("EM_BPF", "ET_REL")
    code, licence, symbols = map(elf.get_section_by_name, ("xdp", "license", ".symtab"))
    assert code is not None
    assert licence is not None
    assert isinstance(symbols, SymbolTableSection)
    # Put 2, which is XDP_PASS, into register 0, and leave.
    assert code.data().hex() == "b700000002000000" + "9500000000000000"
    assert licence.data() == b"GPL\0"
    found = symbols.get_symbol_by_name("xl_pass")
    assert found is not None
    (symbol,) = found
    assert symbol["st_info"]["type"] == "STT_FUNC"
    assert elf.get_section(symbol["st_shndx"]).name == "xdp"
