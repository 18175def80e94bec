"""What make says is cut down to the errors, each with the line of source that it is about.

Recorded from gcc 12.2.0 and the Kbuild of Linux 6.1.192.
"""

from __future__ import annotations

from pathlib import Path

from xenlab.kernel.compiler import find_problems

FOLDER = Path("/tmp/module-x")

TWO_ERRORS = """\
warning: the compiler differs from the one used to build the kernel
  The kernel was built by: gcc-12 (Debian 12.2.0-14+deb12u1) 12.2.0
  You are using:           gcc (Debian 12.2.0-14+deb12u1) 12.2.0
/tmp/module-x/tiny.c: In function ‘f’:
/tmp/module-x/tiny.c:2:20: error: ‘nix’ undeclared (first use in this function)
    2 | int f(void){return nix;}
      |                    ^~~
/tmp/module-x/tiny.c:2:20: note: each undeclared identifier is reported only once
/tmp/module-x/tiny.c:3:10: fatal error: nix.h: No such file or directory
    3 | #include <nix.h>
      |          ^~~~~~~
make[1]: *** [../source/scripts/Makefile.build:250: /tmp/module-x/tiny.o] Error 1
make: *** [../source/Makefile:2012: /tmp/module-x] Error 2
"""  # noqa: RUF001 (gcc's own quotes)


def problems(messages: str) -> list[str]:
    return list(find_problems(messages, FOLDER))


def test_each_error_comes_with_its_line_and_the_rest_is_left_out() -> None:
    first, second = problems(TWO_ERRORS)

    assert first.splitlines() == [
        "tiny.c:2:20: error: ‘nix’ undeclared (first use in this function)",  # noqa: RUF001
        "    2 | int f(void){return nix;}",
        "      |                    ^~~",
    ]
    assert second.splitlines() == [
        "tiny.c:3:10: fatal error: nix.h: No such file or directory",
        "    3 | #include <nix.h>",
        "      |          ^~~~~~~",
    ]


def test_unresolved_symbol_is_an_error() -> None:
    message = 'ERROR: modpost: "nix" [/tmp/module-x/tiny.ko] undefined!\nmake[1]: *** [x] Error 1\n'

    assert problems(message) == ['ERROR: modpost: "nix" [tiny.ko] undefined!']


def test_what_is_not_understood_is_shown_as_it_is_without_makes_own_lines() -> None:
    message = "/tmp/module-x/Kbuild:1: *** missing separator.  Stop.\nmake: *** [x] Error 2\n"

    assert problems(message) == ["Kbuild:1: *** missing separator.  Stop."]


def test_make_that_says_nothing_is_no_success() -> None:
    assert problems("") == ["make failed and said nothing"]
