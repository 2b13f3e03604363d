"""A certificate that we make ourselves, so that no network ever sees the page in the clear.

Nobody vouches for it: whoever opens the page compares its fingerprint once. So the key stays as long as its
file does, and the certificate until its days end or we are called by a name that it has not.
"""

from __future__ import annotations

import contextlib
import ipaddress
import logging
import os
import socket
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeAlias

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from flow.clock import NS_PER_S
from flow.errors import ConfigError

from .certificate import Certificate, canonical, read_certificate

log = logging.getLogger("lagebild.web")

FOLDER = "tls"
DAYS = 825  # the most that Apple's devices accept, also of one that was trusted by hand
RENEW_BEFORE_DAYS = 30
NAMES_MOST = 64
"""Addresses come and go with networks: what it was once made for stays in it, up to so many."""

_BEFORE = timedelta(days=1)  # a tablet's clock may be behind

Key: TypeAlias = ec.EllipticCurvePrivateKey


def made_certificate(data_dir: Path, names: Iterable[str], now_ns: int) -> Certificate:
    """Ours, made or renewed where need be. Raises ConfigError where the folder cannot be used."""
    folder = data_dir / FOLDER
    wanted = dict.fromkeys(map(canonical, names))
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        key = _key(folder / "key.pem")
        present = _present(folder)
        if present is not None and _still_good(present, wanted, now_ns):
            return present
        before = [] if present is None else sorted(present.names)
        every = [each for each in dict.fromkeys((*wanted, *before)) if _general_name(each)]
        _write(folder / "certificate.pem", _signed(key, every[:NAMES_MOST], now_ns))
    except OSError as error:
        raise ConfigError(
            f"{error.filename or folder}: no certificate can be made there: {error.strerror}; it must belong "
            "to the user who runs the service, or name a certificate in tls.certificate and tls.key"
        ) from None
    made = _present(folder)
    if made is None:
        raise ConfigError(f"{folder}: what was written there cannot be read; move the folder away")
    log.info("a certificate was %s: SHA-256 %s", "renewed" if present else "made", made.fingerprint)
    return made


def own_names(settings_names: Iterable[str], host: str, addresses: Iterable[str]) -> list[str]:
    """What the page may be called by: names, this machine's, and the addresses it listens on."""
    machine = socket.gethostname()
    named = [*settings_names, machine, f"{machine}.local", "localhost", "127.0.0.1", "::1"]
    return [*named, *(addresses if host in ("0.0.0.0", "::", "") else [host])]


def _still_good(present: Certificate, wanted: Iterable[str], now_ns: int) -> bool:
    if not present.begins_ns <= now_ns or present.days_left(now_ns) < RENEW_BEFORE_DAYS:
        return False
    return all(each in present.names for each in wanted if _general_name(each))


def _present(folder: Path) -> Certificate | None:
    """What is there; None where that is nothing, or not of our key."""
    with contextlib.suppress(ConfigError):
        return read_certificate(folder / "certificate.pem", folder / "key.pem")
    return None


def _key(path: Path) -> Key:
    """The one that is there, or a new one. A file that was cut off, as by a power cut, is replaced."""
    if path.exists():
        path.chmod(0o600)
        with contextlib.suppress(ValueError, TypeError):
            key = load_pem_private_key(path.read_bytes(), None)
            if isinstance(key, ec.EllipticCurvePrivateKey):
                return key
        log.warning("%s holds no key of ours: a new one is made, and with it another fingerprint", path)
    new = ec.generate_private_key(ec.SECP256R1())
    _write(path, new.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return new


def _signed(key: Key, names: Iterable[str], now_ns: int) -> bytes:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"Lagebild {socket.gethostname()}"[:64])])
    begins = datetime.fromtimestamp(now_ns / NS_PER_S, UTC).replace(microsecond=0) - _BEFORE
    usage = x509.KeyUsage(True, False, False, False, False, False, False, False, False)
    alternatives = [name for each in names if (name := _general_name(each))]
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(begins + timedelta(days=DAYS))
        .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
        .public_bytes(Encoding.PEM)
    )


def _general_name(name: str) -> x509.GeneralName | None:
    """As a certificate holds it; None for what none can hold."""
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        pass
    try:
        return x509.DNSName(name.encode("idna").decode()) if name else None
    except UnicodeError:
        return None


def _write(path: Path, data: bytes) -> None:
    """Whole or not at all, for this user only."""
    part = path.with_suffix(".new")
    part.unlink(missing_ok=True)
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
