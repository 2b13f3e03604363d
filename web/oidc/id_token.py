"""ID tokens: who has signed what, for whom, and when (OpenID Connect Core 1.0, 3.1.3.7). No I/O, no clock."""

from __future__ import annotations

import hmac
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jwt
import msgspec

from .errors import OidcError

LEEWAY_S = 60.0
"""So far may the provider's clock and ours be apart."""
ISSUED_WITHIN_S = 600.0
"""It was made for this login, which lasts no longer."""
SUBJECT_MOST = 255  # OpenID Connect Core 1.0, 2

_KEY_TYPES = {
    "RS256": ("RSA", None),
    "PS256": ("RSA", None),
    "ES256": ("EC", "P-256"),
    "EdDSA": ("OKP", "Ed25519"),
}
ALGORITHMS = tuple(_KEY_TYPES)
"""All that are taken. Never "none", and nothing that is signed with a secret we share (HS256)."""

_SIGNATURES = jwt.PyJWS(algorithms=ALGORITHMS, options={"enforce_minimum_key_length": True})


@dataclass(frozen=True, slots=True)
class Expected:
    """What an ID token must say."""

    issuer: str
    client_id: str
    nonce: str


def signed_claims(token: str, keys: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    """What it says, where one of these keys has signed it; None where none has.

    Raises OidcError "oidc_token" for what no key could make good.
    """
    header = _header(token)
    algorithm = header.get("alg")
    if not isinstance(algorithm, str) or algorithm not in ALGORITHMS:
        raise _error(f"it is signed with {str(algorithm)[:20]!r}; taken are {', '.join(ALGORITHMS)}")
    for key in _fitting(keys, algorithm, header.get("kid")):
        try:
            payload = _SIGNATURES.decode_complete(token, jwt.PyJWK(dict(key), algorithm), [algorithm])
        except (jwt.InvalidSignatureError, jwt.InvalidKeyError, jwt.PyJWKError):
            continue
        except jwt.PyJWTError as error:
            raise _error(str(error)) from None
        return _decoded(payload["payload"])
    return None


def check_claims(claims: Mapping[str, Any], expected: Expected, now_s: float) -> None:
    """Raise OidcError "oidc_token" unless it was made by this provider for us, for this login, and now."""
    if claims.get("iss") != expected.issuer:
        raise _error("another issuer made it")
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    if expected.client_id not in audiences:
        raise _error("it was made for another client")
    if claims.get("azp", None if len(audiences) > 1 else expected.client_id) != expected.client_id:
        raise _error("another client asked for it")
    _check_times(claims, now_s)
    nonce = claims.get("nonce")
    if not isinstance(nonce, str) or not hmac.compare_digest(nonce.encode(), expected.nonce.encode()):
        raise _error("it belongs to another login (nonce)")
    subject = claims.get("sub")
    if not isinstance(subject, str) or not 0 < len(subject) <= SUBJECT_MOST or not subject.isprintable():
        raise _error("it does not say whom it is about (sub)")


def _check_times(claims: Mapping[str, Any], now_s: float) -> None:
    clock = "do both clocks go right?"
    expires_s, issued_s = _moment(claims, "exp"), _moment(claims, "iat")
    if now_s >= expires_s + LEEWAY_S:
        raise _error(f"it expired {now_s - expires_s:.0f} s ago; {clock}")
    if issued_s > now_s + LEEWAY_S:
        raise _error(f"it was made {issued_s - now_s:.0f} s from now; {clock}")
    if now_s > issued_s + ISSUED_WITHIN_S + LEEWAY_S:
        raise _error(f"it was made {now_s - issued_s:.0f} s ago; {clock}")
    if "nbf" in claims and _moment(claims, "nbf") > now_s + LEEWAY_S:
        raise _error(f"it is not good yet; {clock}")


def _moment(claims: Mapping[str, Any], name: str) -> float:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise _error(f"it has no {name}")
    return float(value)


def _header(token: str) -> dict[str, Any]:
    if token.count(".") != 2:  # five parts are encrypted; nobody asked for that
        raise _error("it is no signed JWT")
    try:
        return jwt.get_unverified_header(token)
    except jwt.PyJWTError as error:
        raise _error(str(error)) from None


def can_sign(key: Mapping[str, Any]) -> bool:
    """Whether what it signs is taken, by one algorithm or another."""
    return any(True for algorithm in ALGORITHMS for _ in _fitting([key], algorithm, None))


def _fitting(
    keys: Sequence[Mapping[str, Any]], algorithm: str, key_id: object
) -> Iterable[Mapping[str, Any]]:
    """Those that may sign so, and have that name; all, where the token names none."""
    key_type, curve = _KEY_TYPES[algorithm]
    for key in keys:
        if key.get("kty") != key_type or (curve is not None and key.get("crv") != curve):
            continue
        if key.get("use", "sig") != "sig" or key.get("alg", algorithm) != algorithm or "d" in key:
            continue  # with "d" it is the private one, which everybody could sign with
        if key_id is None or key.get("kid") == key_id:
            yield key


def _decoded(payload: bytes) -> dict[str, Any]:
    try:
        return msgspec.json.decode(payload, type=dict[str, Any])
    except (msgspec.DecodeError, RecursionError):
        raise _error("it holds no JSON object") from None


def _error(why: str) -> OidcError:
    return OidcError(f"the provider's ID token is refused: {why}", code="oidc_token")
