"""manifest.json: what belongs to an export, to the byte. Its own bytes are what is signed."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import msgspec

from flow.errors import MalformedError

FORMAT, VERSION = "lagebild-export", 1
MANIFEST_FILE = "manifest.json"
SIGNATURE_FILE = "manifest.sig"
PUBLIC_KEY_FILE = "public-key.pem"
SEALS = (MANIFEST_FILE, SIGNATURE_FILE, PUBLIC_KEY_FILE)
"""What says that the rest is whole, and so is not in the manifest itself."""

FILES_MOST = 10_000
SEAL_LIMIT_BYTES = 8 * 1024 * 1024

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}(/[A-Za-z0-9][A-Za-z0-9._-]{0,99}){0,4}")
_DEVICE = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?", re.IGNORECASE)
_SHA256 = re.compile(r"[0-9a-f]{64}")


class SignedFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One file of the export; `name` is its path within, with `/`."""

    name: str
    size_bytes: int
    sha256: str


class Origin(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the export is of. `order` is as it was carried out; `left_out` says what of it there is not, and
    why. `made` is what the server's clock showed, no proof of time."""

    flight_id: str = ""
    order: dict[str, Any] = {}
    left_out: tuple[dict[str, Any], ...] = ()
    made: str = ""  # ISO 8601, UTC
    software: str = ""


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`public_key` is that of public-key.pem, `fingerprint` the SHA-256 of it in DER."""

    format: str
    version: int
    origin: Origin
    public_key: str
    fingerprint: str
    files: tuple[SignedFile, ...]


def encoded(manifest: Manifest) -> bytes:
    return msgspec.json.format(msgspec.json.encode(manifest), indent=1) + b"\n"


def decoded(data: bytes) -> Manifest:
    """Raises MalformedError for what is no manifest of this version, or names files that cannot be."""
    try:
        manifest = msgspec.json.decode(data, type=Manifest)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        raise MalformedError(f"no manifest of an export: {error}") from None
    if (manifest.format, manifest.version) != (FORMAT, VERSION):
        told = f"{manifest.format[:40]} {manifest.version}"
        raise MalformedError(f"a manifest of another kind: {told}; this program knows {FORMAT} {VERSION}")
    checked_names(file.name for file in manifest.files)
    for file in manifest.files:
        if file.size_bytes < 0 or not _SHA256.fullmatch(file.sha256):
            raise MalformedError(f"'{file.name}' has no size and sum that can be")
    return manifest


def checked_names(names: Iterable[str]) -> None:
    """Raises MalformedError for a name that leads out of its folder, that some system cannot have, or that
    some system takes for another one of them."""
    seen = {name.casefold() for name in SEALS}
    for count, name in enumerate(names):
        if count == FILES_MOST:
            raise MalformedError(f"more than {FILES_MOST} files")
        if not _NAME.fullmatch(name) or any(map(_is_strange, name.split("/"))):
            raise MalformedError(f"{name[:200]!r} is no name that a file of an export may have")
        if name.casefold() in seen:
            raise MalformedError(f"'{name}' is there twice, or differs in its case only")
        seen.add(name.casefold())


def _is_strange(part: str) -> bool:
    return part.endswith(".") or _DEVICE.fullmatch(part) is not None
