"""The host key that we write is one that dropbear's own tools read."""

from __future__ import annotations

from xenlab.transport.keys import SshKeys
from xenlab.transport.process import run
from xenlab.waiting import Deadline


def test_dropbear_reads_the_host_key_and_finds_our_public_half(keys: SshKeys) -> None:
    argv = ["dropbearkey", "-y", "-f", str(keys.host_key)]
    said = run(argv, deadline=Deadline.after(10)).require_success().text
    (line,) = [line for line in said.splitlines() if line.startswith("ssh-ed25519 ")]
    assert line.split()[1] == keys.host_public_key.read_text().split()[1]


def test_openssh_reads_our_private_key(keys: SshKeys) -> None:
    argv = ["ssh-keygen", "-y", "-f", str(keys.private_key)]
    said = run(argv, deadline=Deadline.after(10)).require_success().text
    assert said.split()[:2] == keys.authorized_keys.read_text().split()[:2]
