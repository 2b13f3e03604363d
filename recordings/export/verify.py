"""Whether an export is as it was signed; if not, what was changed, added or removed. No program is needed for
this that is ours: docs/exports.md."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from flow.errors import MalformedError

from .contents import Contents, open_contents
from .manifest import (
    MANIFEST_FILE,
    PUBLIC_KEY_FILE,
    SEAL_LIMIT_BYTES,
    SEALS,
    SIGNATURE_FILE,
    Manifest,
    decoded,
)
from .signature import PublicKey


class Fault(StrEnum):
    """What is wrong."""

    CHANGED = "changed"
    ADDED = "added"
    MISSING = "missing"
    UNSIGNED = "unsigned"  # the signature is not of this manifest by this key
    FOREIGN_KEY = "foreign_key"  # signed, but not with the key that was expected
    ZIP = "zip"  # the ZIP around the files


class KeyIs(StrEnum):
    """What is known of whose key it is."""

    EXPECTED = "expected"  # the one that was named
    FOREIGN = "foreign"
    NOT_COMPARED = "not_compared"  # none was named: a forger's own would do as well


@dataclass(frozen=True, slots=True)
class Finding:
    """`name` is the file's, "" where it is of the whole."""

    fault: Fault
    name: str
    detail: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """`fingerprint` is that of the key in the export, "" where there is none; `manifest` is None where it
    cannot be read, and worth nothing where something is wrong."""

    findings: tuple[Finding, ...]
    key: KeyIs
    fingerprint: str
    manifest: Manifest | None

    @property
    def intact(self) -> bool:
        return not self.findings


def verify(path: Path, fingerprint: str = "") -> Verdict:
    """Look at a ZIP or a folder; `fingerprint` is of the key it should be signed with. Blocking; reads all of
    it. Raises OSError where there is nothing to read."""
    with open_contents(path) as contents:
        return judged(contents, fingerprint)


def judged(contents: Contents, fingerprint: str) -> Verdict:
    """Every way to tamper ends in a finding; none is an error."""
    names = contents.names()
    seals = {name: _seal(contents, names, name) for name in SEALS}
    key, manifest = _key(seals[PUBLIC_KEY_FILE]), _manifest(seals[MANIFEST_FILE])
    findings = [
        *_of_the_zip(contents, names, manifest),
        *_of_the_seals(seals, key, manifest),
        *_of_the_key(key, fingerprint),
        *(_of_the_files(contents, names, manifest) if manifest else ()),
        *_twice(names),
    ]
    return Verdict(tuple(findings), _whose(key, fingerprint), key.fingerprint if key else "", manifest)


def _seal(contents: Contents, names: list[str], name: str) -> bytes | None:
    content = contents.read(name, SEAL_LIMIT_BYTES) if name in names else None
    return content.data if content else None


def _key(pem: bytes | None) -> PublicKey | None:
    try:
        return PublicKey.read(pem or b"")
    except MalformedError:
        return None


def _manifest(data: bytes | None) -> Manifest | None:
    try:
        return decoded(data or b"")
    except MalformedError:
        return None


def _of_the_zip(contents: Contents, names: list[str], manifest: Manifest | None) -> Iterator[Finding]:
    if contents.fault:
        yield Finding(Fault.ZIP, "", f"the ZIP is not the one that was made: {contents.fault}")
    if manifest and contents.keeps_order:
        packed = [*SEALS, *(file.name for file in manifest.files)]
        if names != packed and sorted(names) == sorted(packed):
            yield Finding(
                Fault.ZIP, "", "the ZIP is not the one that was made: its files are in another order"
            )


def _of_the_seals(
    seals: dict[str, bytes | None], key: PublicKey | None, manifest: Manifest | None
) -> Iterator[Finding]:
    for name, data in seals.items():
        if data is None:
            yield Finding(Fault.MISSING, name, "without it nothing is proven")
    data, signature, pem = (seals[name] for name in (MANIFEST_FILE, SIGNATURE_FILE, PUBLIC_KEY_FILE))
    if data is not None and manifest is None:
        yield Finding(Fault.CHANGED, MANIFEST_FILE, _why(data))
    if pem is not None and (key is None or key.pem != pem):
        yield Finding(Fault.CHANGED, PUBLIC_KEY_FILE, "no public key as it is written here")
    if (
        key
        and manifest
        and (manifest.public_key.encode(), manifest.fingerprint) != (key.pem, key.fingerprint)
    ):
        yield Finding(Fault.CHANGED, PUBLIC_KEY_FILE, "it is not the key that the manifest names")
    if key and data is not None and signature is not None and not key.has_signed(data, signature):
        yield Finding(
            Fault.UNSIGNED, MANIFEST_FILE, "the signature does not fit: changed after it was signed"
        )


def _why(data: bytes) -> str:
    try:
        decoded(data)
    except MalformedError as error:
        return str(error)[:500]
    return ""


def _whose(key: PublicKey | None, fingerprint: str) -> KeyIs:
    if not fingerprint:
        return KeyIs.NOT_COMPARED
    return KeyIs.EXPECTED if key and key.fingerprint == fingerprint else KeyIs.FOREIGN


def _of_the_key(key: PublicKey | None, fingerprint: str) -> Iterator[Finding]:
    if key and _whose(key, fingerprint) is KeyIs.FOREIGN:
        yield Finding(Fault.FOREIGN_KEY, PUBLIC_KEY_FILE, "this is another key than the one it should be")


def _of_the_files(contents: Contents, names: list[str], manifest: Manifest) -> Iterator[Finding]:
    there, signed = set(names), {file.name for file in manifest.files}
    for file in manifest.files:
        if file.name not in there:
            yield Finding(Fault.MISSING, file.name, f"{file.size_bytes} bytes")
            continue
        content = contents.read(file.name, file.size_bytes)
        if content is None:
            yield Finding(Fault.CHANGED, file.name, "it cannot be read")
        elif (content.size_bytes, content.sha256) != (file.size_bytes, file.sha256):
            yield Finding(Fault.CHANGED, file.name, _difference(file.size_bytes, content.size_bytes))
    for name in dict.fromkeys(names):
        if name not in signed and name not in SEALS:
            yield Finding(Fault.ADDED, name, "it was not signed")


def _difference(signed: int, found: int) -> str:
    if signed == found:
        return f"its {signed} bytes are not those that were signed"
    return f"{signed} bytes were signed, it has {'more' if found > signed else found}"


def _twice(names: list[str]) -> Iterator[Finding]:
    for name, count in Counter(names).items():
        if count > 1:
            yield Finding(Fault.ADDED, name, f"it is there {count} times")
