"""Keys: fresh for each lab, closed to others, and pinned."""

from __future__ import annotations

import stat
import struct
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import load_ssh_private_key, load_ssh_public_key

from xenlab.transport.keys import SshKeys, generate_keys


@pytest.fixture
def keys(tmp_path: Path) -> SshKeys:
    return generate_keys(tmp_path / "keys")


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_private_files_are_closed_to_others(keys: SshKeys) -> None:
    assert mode_of(keys.directory) == 0o700
    assert {mode_of(keys.private_key), mode_of(keys.host_key)} == {0o600}


def test_authorized_line_is_our_keys_public_half(keys: SshKeys) -> None:
    private = load_ssh_private_key(keys.private_key.read_bytes(), password=None)
    public = load_ssh_public_key(keys.authorized_keys.read_bytes())
    assert private.public_key() == public


def test_host_key_is_dropbears_type_seed_and_public_half(keys: SshKeys) -> None:
    blob = keys.host_key.read_bytes()
    (length,) = struct.unpack_from(">I", blob)
    assert blob[4 : 4 + length] == b"ssh-ed25519"
    assert struct.unpack_from(">I", blob, 4 + length) == (64,)
    assert len(blob) == 4 + length + 4 + 64
    public = load_ssh_public_key(keys.host_public_key.read_bytes())
    assert blob[-32:] == public.public_bytes_raw()  # type: ignore[union-attr]


def test_every_lab_has_keys_of_its_own(keys: SshKeys, tmp_path: Path) -> None:
    others = generate_keys(tmp_path / "others")
    for name in ("private_key", "host_key", "authorized_keys", "host_public_key"):
        assert getattr(keys, name).read_bytes() != getattr(others, name).read_bytes()
    assert keys.authorized_keys.read_bytes() != keys.host_public_key.read_bytes()


def test_keys_are_never_written_over(keys: SshKeys) -> None:
    with pytest.raises(FileExistsError):
        generate_keys(keys.directory)


def test_host_key_is_known_under_every_name(keys: SshKeys) -> None:
    lines = keys.write_known_hosts(("dom0", "alice")).read_text().splitlines()
    public = keys.host_public_key.read_text().strip()
    assert lines == [f"dom0 {public}", f"alice {public}"]
