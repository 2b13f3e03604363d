"""The key that exports are signed with (Ed25519, RFC 8032), and signatures checked.

A fingerprint is the SHA-256 of the public key in DER (SubjectPublicKeyInfo, RFC 8410), so that anybody can
make it with `openssl pkey -pubin -in public-key.pem -outform DER | sha256sum`.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import re
import secrets
import stat
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from flow.errors import ConfigError, MalformedError
from recordings.folders import SIGNING_KEY_FILE
from recordings.plain_files import read_plain, sync_folder

log = logging.getLogger("lagebild.recordings")

_LIMIT_BYTES = 16 * 1024
_FINGERPRINT = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class PublicKey:
    """What everybody may have. `pem` is the one way it is written here (RFC 7468)."""

    pem: bytes
    fingerprint: str
    _key: Ed25519PublicKey = field(repr=False, compare=False)

    @classmethod
    def of(cls, key: Ed25519PublicKey) -> PublicKey:
        der = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        pem = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        return cls(pem, hashlib.sha256(der).hexdigest(), key)

    @classmethod
    def read(cls, pem: bytes) -> PublicKey:
        """Raises MalformedError for what is no Ed25519 public key, and nothing else, in PEM."""
        try:
            key = load_pem_public_key(pem)
        except (ValueError, UnsupportedAlgorithm):
            raise MalformedError("no public key in PEM (RFC 7468)") from None
        if not isinstance(key, Ed25519PublicKey):
            raise MalformedError("a public key, but none for Ed25519 (RFC 8410)")
        return cls.of(key)

    def has_signed(self, data: bytes, signature: bytes) -> bool:
        try:
            self._key.verify(signature, data)
        except InvalidSignature:
            return False
        return True


@dataclass(frozen=True, slots=True)
class SigningKey:
    """Shows its public half alone."""

    public: PublicKey
    _key: Ed25519PrivateKey = field(repr=False, compare=False)

    @classmethod
    def of(cls, key: Ed25519PrivateKey) -> SigningKey:
        return cls(PublicKey.of(key.public_key()), key)

    def sign(self, data: bytes) -> bytes:
        """64 bytes."""
        return self._key.sign(data)


def grouped(fingerprint: str) -> str:
    """In fours, as two people compare it on the telephone."""
    return " ".join(fingerprint[at : at + 4] for at in range(0, len(fingerprint), 4))


def as_fingerprint(text: str) -> str:
    """As it is kept, however it was typed. Raises MalformedError for what is none."""
    fingerprint = re.sub(r"[\s:]", "", text).lower()
    if not _FINGERPRINT.fullmatch(fingerprint):
        raise MalformedError("no fingerprint of a key: it has 64 digits of 0-9 and a-f")
    return fingerprint


def signing_key(root: Path) -> SigningKey:
    """This installation's; made where there is none yet. Blocking. Raises ConfigError."""
    path = root / SIGNING_KEY_FILE
    try:
        if not os.path.lexists(path):
            _make(path)
        return SigningKey.of(_read(path))
    except OSError as error:
        raise ConfigError(f"{path} cannot be read or made: {error.strerror}") from None


def _read(path: Path) -> Ed25519PrivateKey:
    data = read_plain(path, _LIMIT_BYTES)
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        log.warning("%s may be read by others: chmod 600, and let nobody have copied it", path)
    try:
        key = load_pem_private_key(data, None)
    except (ValueError, TypeError, UnsupportedAlgorithm):  # their texts may repeat what they read
        raise ConfigError(f"{path} is no private key in PEM: restore it from a backup") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise ConfigError(f"{path} is a private key, but none for Ed25519: restore it from a backup")
    return key


def _make(path: Path) -> None:
    """Whole or not at all, readable by us alone, and once: of two who make one, the first has made it."""
    pem = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    new = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        with open(descriptor, "wb") as file:
            file.write(pem)
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(new, path)
    finally:
        new.unlink()
    sync_folder(path.parent)
