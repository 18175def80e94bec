"""SshKeys: the key pair of one lab and the host key of its nodes, made here and pinned."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

KEY_TYPE = "ssh-ed25519"


@dataclass(frozen=True, slots=True, kw_only=True)
class SshKeys:
    """Files in one directory (0700): our private key, its public half, and the nodes' host key."""

    directory: Path

    @property
    def private_key(self) -> Path:
        """Our key in OpenSSH format, mode 0600."""
        return self.directory / "id_ed25519"

    @property
    def authorized_keys(self) -> Path:
        """The line that lets our key in."""
        return self.directory / "authorized_keys"

    @property
    def host_key(self) -> Path:
        """The nodes' private host key in dropbear's own format (dropbear signkey.c)."""
        return self.directory / "host_key"

    @property
    def host_public_key(self) -> Path:
        """The nodes' public host key: `ssh-ed25519 BASE64`."""
        return self.directory / "host_key.pub"

    def write_known_hosts(self, names: tuple[str, ...]) -> Path:
        """A known_hosts file for the `ssh` program with the pinned key under each name."""
        key = self.host_public_key.read_text().strip()
        path = self.directory / "known_hosts"
        path.write_text("".join(f"{name} {key}\n" for name in names))
        return path


def generate_keys(directory: Path) -> SshKeys:
    """Make both key pairs in a new directory."""
    directory.mkdir(mode=0o700, parents=True)
    keys = SshKeys(directory=directory)
    own, host = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
    keys.private_key.touch(mode=0o600)
    keys.private_key.write_bytes(
        own.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.OpenSSH,
            serialization.NoEncryption(),
        )
    )
    keys.authorized_keys.write_text(_openssh_line(own.public_key()))
    keys.host_key.touch(mode=0o600)
    keys.host_key.write_bytes(_dropbear_blob(host))
    keys.host_public_key.write_text(_openssh_line(host.public_key()))
    return keys


def _openssh_line(key: Ed25519PublicKey) -> str:
    line = key.public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    return line.decode() + "\n"


def _dropbear_blob(key: Ed25519PrivateKey) -> bytes:
    """Two SSH strings: type, and seed || public key (dropbear ed25519.c, buf_put_ed25519_priv)."""
    pair = key.private_bytes_raw() + key.public_key().public_bytes_raw()
    name = KEY_TYPE.encode()
    return struct.pack(">I", len(name)) + name + struct.pack(">I", len(pair)) + pair
