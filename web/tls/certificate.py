"""A certificate and its key, read and checked; and the TLS that is spoken with them."""

from __future__ import annotations

import ipaddress
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
)

from flow.clock import NS_PER_S
from flow.errors import ConfigError

NS_PER_DAY = 86_400 * NS_PER_S
WARN_BEFORE_DAYS = 14

# RFC 9325 4.2: forward secrecy and AEAD alone. TLS 1.3 has nothing else.
_CIPHERS_1_2 = "ECDHE+AESGCM:ECDHE+CHACHA20"


@dataclass(frozen=True, slots=True)
class Certificate:
    """What stands in it. `fingerprint` is what a browser shows (SHA-256), `key_fingerprint` that of its
    public key, which a renewed one keeps."""

    chain: Path
    key: Path
    fingerprint: str
    key_fingerprint: str
    names: frozenset[str]
    begins_ns: int
    ends_ns: int
    is_self_signed: bool  # nobody vouches for it

    def days_left(self, now_ns: int) -> float:
        return (self.ends_ns - now_ns) / NS_PER_DAY

    def covers(self, name: str) -> bool:
        """Whether a browser that calls us so finds the name in it (RFC 9525 6.3)."""
        name = canonical(name)
        return name in self.names or f"*.{name.partition('.')[2]}" in self.names

    def complaint(self, now_ns: int) -> str:
        """What browsers will say of its days; "": nothing."""
        if now_ns < self.begins_ns:
            return f"it is valid only from {_day(self.begins_ns)} on: is this machine's clock right?"
        if now_ns >= self.ends_ns:
            return f"it has expired, on {_day(self.ends_ns)}: browsers refuse it; renew it"
        if self.days_left(now_ns) < WARN_BEFORE_DAYS:
            return f"it expires in {self.days_left(now_ns):.0f} days, on {_day(self.ends_ns)}; renew it"
        return ""


def read_certificate(chain: Path, key: Path) -> Certificate:
    """Raises ConfigError where they cannot be read, or do not belong together."""
    first, *others = _certificates(chain)
    public = _spki(first)
    private = _public_half_of(key)
    if private != public:
        if private in map(_spki, others):
            raise ConfigError(f"tls.certificate: {chain}: our own must stand first, then the chain")
        raise ConfigError(f"tls.key: {key} is not the key of the certificate {chain}")
    return Certificate(
        chain,
        key,
        fingerprint_of(first.fingerprint(hashes.SHA256())),
        fingerprint_of(_digest(public)),
        frozenset(names_in(first)),
        _ns(first.not_valid_before_utc),
        _ns(first.not_valid_after_utc),
        first.issuer == first.subject,
    )


def server_context(certificate: Certificate) -> ssl.SSLContext:
    """TLS 1.2 and 1.3 with that certificate. Raises ConfigError where OpenSSL will not have it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(_CIPHERS_1_2)
    context.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_COMPRESSION
    context.set_alpn_protocols(["http/1.1"])
    try:
        context.load_cert_chain(certificate.chain, certificate.key, password=_nobody_types)
    except (ssl.SSLError, OSError) as error:
        raise ConfigError(
            f"tls.certificate: {certificate.chain} cannot be served: {error.strerror or error}"
        ) from None
    return context


def names_in(certificate: x509.Certificate) -> list[str]:
    """The names and addresses that it is for."""
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    return [
        *map(canonical, names.get_values_for_type(x509.DNSName)),
        *map(str, names.get_values_for_type(x509.IPAddress)),
    ]


def canonical(name: str) -> str:
    """A name or address as we compare them."""
    try:
        return str(ipaddress.ip_address(name.strip("[]")))
    except ValueError:
        return name.lower().rstrip(".")


def fingerprint_of(digest: bytes) -> str:
    """As browsers and `openssl x509 -fingerprint` show it."""
    return digest.hex(":").upper()


def _nobody_types() -> str:
    raise ConfigError("tls.key is locked with a password")


def _certificates(path: Path) -> Sequence[x509.Certificate]:
    data = _read(path, "tls.certificate")
    try:
        return x509.load_pem_x509_certificates(data)
    except ValueError:
        raise ConfigError(
            f"tls.certificate: {path} is no certificate in PEM (-----BEGIN CERTIFICATE-----)"
        ) from None


def _public_half_of(path: Path) -> bytes:
    data = _read(path, "tls.key")
    try:
        key = load_pem_private_key(data, None)
    except TypeError:
        raise ConfigError(
            f"tls.key: {path} is locked with a password, and nobody is there to type it; "
            f"unlock it: openssl pkey -in {path.name} -out unlocked.pem"
        ) from None
    except ValueError:
        raise ConfigError(f"tls.key: {path} is no key in PEM (-----BEGIN PRIVATE KEY-----)") from None
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _read(path: Path, setting: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigError(
            f"{setting}: {path} cannot be read: {error.strerror}; it must be there, and readable for the "
            "user who runs the service"
        ) from None


def _spki(certificate: x509.Certificate) -> bytes:
    return certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _digest(data: bytes) -> bytes:
    digest = hashes.Hash(hashes.SHA256())
    digest.update(data)
    return digest.finalize()


def _ns(moment: datetime) -> int:
    return int(moment.timestamp()) * NS_PER_S


def _day(utc_ns: int) -> str:
    return datetime.fromtimestamp(utc_ns / NS_PER_S).astimezone().strftime("%Y-%m-%d %H:%M")
