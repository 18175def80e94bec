"""Mailbox: a file with patches in it, cut into its mails as `git am` would take them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes
from email.header import decode_header, make_header
from email.message import Message

# What stands between two mails (git/builtin/mailsplit.c, is_from_line): a sender, and a time.
FROM_LINE = re.compile(rb"(?m)^From (?P<sender>\S+) .*\d\d?:\d\d.* \d{4}\r?$")
COMMIT = re.compile(r"[0-9a-f]{40,64}")
# [PATCH net v2 1/3] and the like are for the reader of a mailing list.
PREFIXES = re.compile(r"^(?:\s*\[[^\]]*\])+\s*")
ENCODINGS = ("base64", "quoted-printable")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """One mail, or all of a file that is none.

    `lines_before` is how many lines of the file stand above its content. That of an encoded mail
    is decoded, and stands nowhere in the file. `commit` is the one that git made it from, or empty.
    """

    number: int
    content: bytes
    lines_before: int = 0
    subject: str = ""
    commit: str = ""
    encoded: bool = False


def split_mails(content: bytes) -> tuple[Mail, ...]:
    """The mails of a mailbox, in order; a file that begins otherwise is one piece."""
    starts = [found.start() for found in FROM_LINE.finditer(content)]
    if not starts or content[: starts[0]].strip():
        return (_read_mail(1, content, content, 0),)
    ends = [*starts[1:], len(content)]
    return tuple(_mails(content, list(zip(starts, ends, strict=True))))


def _mails(content: bytes, spans: list[tuple[int, int]]) -> Iterator[Mail]:
    for number, (start, end) in enumerate(spans, start=1):
        raw = content[start:end]
        yield _read_mail(number, raw, raw.partition(b"\n")[2], content.count(b"\n", 0, start))


def _read_mail(number: int, raw: bytes, mail: bytes, lines_before: int) -> Mail:
    """`raw` has the line `From ...` above the mail's own headers."""
    message = message_from_bytes(mail)
    parts = [part for part in message.walk() if not part.is_multipart()]
    encoded = any(_is_encoded(part) for part in parts)
    sender = FROM_LINE.match(raw)
    commit = sender["sender"].decode(errors="replace") if sender else ""
    return Mail(
        number=number,
        content=b"\n".join(map(_decode, parts)) if encoded else raw,
        lines_before=0 if encoded else lines_before,
        subject=_read_subject(message),
        commit=commit if COMMIT.fullmatch(commit) else "",
        encoded=encoded,
    )


def _is_encoded(part: Message) -> bool:
    return str(part.get("Content-Transfer-Encoding", "")).strip().lower() in ENCODINGS


def _decode(part: Message) -> bytes:
    """A part's text; the ends of its lines are those of mail, whatever those of the patch were."""
    decoded = part.get_payload(decode=True)
    return decoded.replace(b"\r\n", b"\n") if isinstance(decoded, bytes) else b""


def _read_subject(message: Message) -> str:
    try:
        subject = str(make_header(decode_header(str(message.get("Subject", "")))))
    except (LookupError, UnicodeError, ValueError):
        subject = str(message.get("Subject", ""))
    return PREFIXES.sub("", " ".join(subject.split()))
