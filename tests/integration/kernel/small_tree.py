"""A source tree that is built as Linux' is, by the same words to make, within a second.

Its Makefile knows O=, M=, alldefconfig, vmlinux, modules and modules_install; its kernel is a few
lines of C with the notes that Xen looks for, and its drivers are objects that nobody loads.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

AUTHOR = {
    "GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@b", "GIT_COMMITTER_NAME": "a",
    "GIT_COMMITTER_EMAIL": "a@b", "GIT_CONFIG_GLOBAL": "/dev/null",
}  # fmt: skip

# The option of the tree's own, and a default that nobody asks for.
OWN_SYMBOL = "CONFIG_MAX_SKB_FRAGS"

MAKEFILE = r"""
here := $(patsubst %/,%,$(dir $(realpath $(lastword $(MAKEFILE_LIST)))))
out := $(or $(O),$(CURDIR))
flags := -fno-pic -ffreestanding -mcmodel=kernel -I$(here)/include $(KCFLAGS)
release := 9.9.0-xenlab

ifdef M
%.o:
	@$(CC) $(flags) -c -o $(M)/$@ $(M)/$(@:.o=.c)
else
.PHONY: alldefconfig modules modules_install
alldefconfig:
	@grep -h '^CONFIG_' $(KCONFIG_ALLCONFIG) >$(out)/.config
$(out)/%.o: $(here)/%.c
	@mkdir -p $(@D)
	@echo "  CC      $*.o"
	@$(CC) $(flags) -c -o $@ $<
vmlinux: $(out)/kernel/main.o $(out)/net/core/skbuff.o
	@mkdir -p $(out)/include/config $(out)/scripts $(out)/arch/x86/include
	@echo $(release) >$(out)/include/config/kernel.release
	@echo "  LD      vmlinux"
	@ld -r --build-id=sha1 -o $(out)/all.o $^
	@ld -static -nostdlib --build-id=sha1 -e 0 -o $(out)/vmlinux $(out)/all.o
modules: vmlinux $(out)/drivers/net/xen-netfront.o
	@touch $(out)/Module.symvers
modules_install:
	@mkdir -p $(INSTALL_MOD_PATH)/lib/modules/$(release)/kernel
	@touch $(INSTALL_MOD_PATH)/lib/modules/$(release)/modules.builtin
	@touch $(INSTALL_MOD_PATH)/lib/modules/$(release)/modules.order
	@ln -s $(here) $(INSTALL_MOD_PATH)/lib/modules/$(release)/source
endif
"""

MERGE = """\
#!/bin/sh
[ "$1" = -O ] || exit 2
out=$2
shift 2
cat "$@" >.tmp.config
make --no-print-directory KCONFIG_ALLCONFIG=.tmp.config O="$out" alldefconfig
rm .tmp.config
"""

MAIN = """\
#define NOTE(number, name) \\
  asm(".pushsection .note.Xen,\\"a\\",@note\\n.long 4,8," #number "\\n.asciz \\"Xen\\"\\n" \\
      ".quad " #name "\\n.popsection")
NOTE(1, start);
NOTE(18, start);
void start(void) { for (;;); }
"""

SKBUFF_H = """\
#define __used __attribute__((used))
#define __section(name) __attribute__((section(name)))
#define offsetof(type, member) __builtin_offsetof(type, member)
struct sk_buff { char before[212]; int users; };
"""

SKBUFF_C = """\
#include <linux/skbuff.h>
int skb_limit(void)
{
	return 17;
}
"""


def make_tree(tree: Path) -> Path:
    """The tree, as the one commit of a git repository."""
    files = {
        "Makefile": MAKEFILE,
        "scripts/kconfig/merge_config.sh": MERGE,
        "scripts/checkpatch.pl": "",
        "Kconfig": f"config {OWN_SYMBOL.removeprefix('CONFIG_')}\n",
        "arch/x86/include/asm/page.h": "",
        "include/linux/skbuff.h": SKBUFF_H,
        "kernel/main.c": MAIN,
        "net/core/skbuff.c": SKBUFF_C,
        "drivers/net/xen-netfront.c": "int front;\n",
        "drivers/net/xen-netback/netback.c": "int back;\n",
    }
    for name, text in files.items():
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_text(text)
    git(tree, "init", "--quiet")
    commit(tree)
    return tree


def commit(tree: Path) -> None:
    """Commit all that is there."""
    git(tree, "add", "--all")
    git(tree, "commit", "--quiet", "--message", "change")


def git(tree: Path, *words: str) -> str:
    """What git says about the tree."""
    return subprocess.run(
        ["git", "-C", tree, *words], check=True, capture_output=True, text=True,
        env={**os.environ, **AUTHOR},
    ).stdout.strip()  # fmt: skip
