"""The chain's end, signed: whoever cuts off the newest lines, or writes all of them anew, cannot sign that.

`audit/anchor.json` holds the newest, replaced whole. What is signed (Ed25519, RFC 8032) is

    lagebild audit anchor\\n<seq>\\n<hash>\\n<utc>\\n

with the key of signing-key.pem, whose public half `GET /api/v1/signing-key` shows.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from flow.errors import ConfigError
from recordings.export.signature import PublicKey, SigningKey, signing_key
from recordings.folders import SIGNING_KEY_FILE
from recordings.plain_files import read_plain, replace_file

from .chain import End

FILE = "anchor.json"
_MOST_BYTES = 4096


class Anchor(msgspec.Struct, frozen=True):
    """The line `seq` had this hash at that time, and the chain ended there."""

    seq: int
    hash: str
    utc: str
    key: str  # the fingerprint
    signature: str  # in hexadecimal digits

    @property
    def end(self) -> End:
        return End(self.seq, self.hash)

    def is_signed_by(self, key: PublicKey) -> bool:
        try:
            signature = bytes.fromhex(self.signature)
        except ValueError:
            return False
        return self.key == key.fingerprint and key.has_signed(_told(self.seq, self.hash, self.utc), signature)


def anchor_of(end: End, utc: str, key: SigningKey) -> Anchor:
    signature = key.sign(_told(end.seq, end.hash, utc))
    return Anchor(end.seq, end.hash, utc, key.public.fingerprint, signature.hex())


def write_anchor(folder: Path, anchor: Anchor) -> None:
    """Raises OSError."""
    replace_file(folder / FILE, msgspec.json.encode(anchor) + b"\n")


def read_anchor(folder: Path) -> Anchor | None:
    """None where there is none, or what is none. Raises OSError where it cannot be read."""
    try:
        return msgspec.json.decode(read_plain(folder / FILE, _MOST_BYTES), type=Anchor)
    except (FileNotFoundError, msgspec.MsgspecError, UnicodeDecodeError):
        return None


def public_key_of(root: Path) -> PublicKey | None:
    """This installation's, where it has one; none is made. Raises ConfigError."""
    try:
        return signing_key(root).public if (root / SIGNING_KEY_FILE).exists() else None
    except OSError as error:
        raise ConfigError(f"{root / SIGNING_KEY_FILE} cannot be read: {error.strerror}") from None


def _told(seq: int, digest: str, utc: str) -> bytes:
    return f"lagebild audit anchor\n{seq}\n{digest}\n{utc}\n".encode()
