"""Whatever a provider sends, or somebody in its name: it is refused as what it is, nothing else fails."""

from __future__ import annotations

import base64
import json
from contextlib import suppress
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.oidc_provider import SigningKey
from web.oidc.attempt import attempt_of, new_attempt, own_path
from web.oidc.errors import OidcError
from web.oidc.id_token import ALGORITHMS, Expected, check_claims, signed_claims
from web.oidc.roles import claim_at, login_of, name_of, roles_of
from web.settings import OidcSettings

KEYS = [SigningKey(algorithm, algorithm) for algorithm in ALGORITHMS]
SHOWN = [key.shown() for key in KEYS]
HONEST = {"iss": "i", "aud": "c", "sub": "s", "nonce": "n", "iat": 1000, "exp": 1300}
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
HEADERS = st.fixed_dictionaries(
    {},
    optional={
        "alg": st.sampled_from([*ALGORITHMS, "none", "HS256"]) | ANYTHING,
        "kid": st.sampled_from(ALGORITHMS) | ANYTHING,
        "crit": ANYTHING,
        "b64": ANYTHING,
        "typ": ANYTHING,
    },
)


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def jose(header: object, payload: bytes, signature: bytes) -> str:
    return ".".join(b64(part) for part in (json.dumps(header).encode(), payload, signature))


@given(st.text(max_size=200) | st.builds(jose, HEADERS, st.binary(max_size=80), st.binary(max_size=80)))
def test_tokens_of_nobody(token: str) -> None:
    with suppress(OidcError):
        assert signed_claims(token, SHOWN) is None


@given(
    st.sampled_from(KEYS),
    st.lists(
        st.dictionaries(
            st.sampled_from(["kty", "kid", "use", "alg", "crv", "n", "e", "x", "y", "d", "oth", "k"]),
            ANYTHING
            | st.sampled_from(["RSA", "EC", "OKP", "oct", "P-256", "Ed25519", "AQAB", "AQ", "", "sig"]),
        ),
        max_size=3,
    ),
    st.booleans(),
)
def test_keys_of_all_sorts(key: SigningKey, shown: list[dict[str, Any]], names_it: bool) -> None:
    if names_it:
        shown = [{**key.shown(), **each} for each in shown]
    token = key.sign(HONEST)
    with suppress(OidcError):
        assert signed_claims(token, shown) in (None, HONEST)


@given(st.dictionaries(st.sampled_from([*HONEST, "azp", "nbf"]), ANYTHING))
def test_claims_of_all_sorts(lies: dict[str, Any]) -> None:
    claims: dict[str, Any] = HONEST | lies
    with suppress(OidcError):
        check_claims(claims, Expected("i", "c", "n"), 1100.0)
        assert (claims["iss"], claims["nonce"]) == ("i", "n")
        assert claims["aud"] == "c" or "c" in claims["aud"]


@given(
    st.dictionaries(
        st.sampled_from(["roles", "a", "a.b", "name", "preferred_username", "email", "sub"]), ANYTHING
    ),
    st.text("ab.", max_size=8),
)
def test_what_is_said_of_people(claims: dict[str, Any], path: str) -> None:
    claim_at(claims, path)
    assert roles_of(claims, OidcSettings(roles_claim=path or "roles")) == frozenset()
    for text in (name_of(claims), login_of(claims)):
        assert text
        assert text.isprintable()


@given(st.text(max_size=300))
def test_cookies_of_others(cookie: str) -> None:
    assert attempt_of(b"k" * 32, cookie, 0) is None


@given(st.text(max_size=60))
def test_where_to_go_on_is_always_ours(asked: str) -> None:
    path = own_path(asked)
    assert path.startswith("/")
    assert not path.startswith(("//", "/\\"))
    assert new_attempt(b"k", asked, 0).next_path == path
