"""ID tokens of a provider that lies, or of somebody who pretends to be it."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.fakes.oidc_provider import CLIENT_SECRET, Claims, OidcProvider, SigningKey, unsigned
from tests.unit.web.oidc_house import code_of, oidc_house
from web.oidc.errors import OidcError
from web.oidc.id_token import ALGORITHMS, Expected, check_claims, signed_claims

NOW_S = 1_795_330_000
EXPECTED = Expected("https://a.example", "lagebild", "n")
HONEST: Claims = {
    "iss": "https://a.example", "aud": "lagebild", "sub": "1", "nonce": "n", "iat": NOW_S, "exp": NOW_S + 300
}  # fmt: skip


@pytest.mark.parametrize("algorithm", ALGORITHMS)
async def test_each_algorithm_that_is_taken(tmp_path: Path, algorithm: str) -> None:
    async with oidc_house(tmp_path) as h:
        h.provider.key = SigningKey("k", algorithm)
        assert await h.log_in() == "/"


def test_honest_claims_are_taken() -> None:
    check_claims(HONEST, EXPECTED, NOW_S)
    check_claims(HONEST | {"aud": ["lagebild"]}, EXPECTED, NOW_S)
    check_claims(HONEST | {"aud": ["other", "lagebild"], "azp": "lagebild"}, EXPECTED, NOW_S)
    check_claims(HONEST, EXPECTED, NOW_S + 359)
    check_claims(HONEST, EXPECTED, NOW_S - 59)
    check_claims(HONEST | {"exp": NOW_S + 0.5, "iat": NOW_S - 0.5, "nbf": NOW_S}, EXPECTED, NOW_S)


@pytest.mark.parametrize(
    ("lie", "said"),
    [
        ({"iss": "https://b.example"}, "another issuer"),
        ({"iss": "https://a.example/"}, "another issuer"),
        ({"iss": None}, "another issuer"),
        ({"aud": "other"}, "another client"),
        ({"aud": ["other"]}, "another client"),
        ({"aud": None}, "another client"),
        ({"aud": {"lagebild": 1}}, "another client"),
        ({"aud": "lagebild2"}, "another client"),
        ({"aud": ["lagebild", "other"]}, "another client asked"),
        ({"azp": "other"}, "another client asked"),
        ({"exp": NOW_S - 61}, "it expired 61 s ago; do both clocks go right?"),
        ({"exp": "soon"}, "no exp"),
        ({"exp": None}, "no exp"),
        ({"exp": True}, "no exp"),
        ({"exp": float("nan")}, "no exp"),
        ({"exp": float("inf")}, "no exp"),
        ({"iat": NOW_S + 61}, "61 s from now"),
        ({"iat": NOW_S - 661}, "it was made 661 s ago"),
        ({"iat": None}, "no iat"),
        ({"nbf": NOW_S + 61}, "not good yet"),
        ({"nbf": "x"}, "no nbf"),
        ({"nonce": "m"}, "another login"),
        ({"nonce": None}, "another login"),
        ({"nonce": ["n"]}, "another login"),
        ({"nonce": "ü"}, "another login"),
        ({"sub": None}, "whom it is about"),
        ({"sub": ""}, "whom it is about"),
        ({"sub": 1}, "whom it is about"),
        ({"sub": "x" * 256}, "whom it is about"),
        ({"sub": "a\nb"}, "whom it is about"),
    ],
)
def test_claims_that_lie(lie: Claims, said: str) -> None:
    with pytest.raises(OidcError, match=said.replace("?", r"\?")) as raised:
        check_claims(HONEST | lie, EXPECTED, NOW_S)
    assert raised.value.code == "oidc_token"


@pytest.mark.parametrize("claim", ["iss", "aud", "exp", "iat", "nonce", "sub"])
def test_claims_that_are_missing(claim: str) -> None:
    with pytest.raises(OidcError):
        check_claims({k: v for k, v in HONEST.items() if k != claim}, EXPECTED, NOW_S)


@pytest.mark.parametrize(
    "lie", [{"iss": "https://evil.example"}, {"aud": "other"}, {"exp": 1}, {"iat": 1}, {"nonce": "x"}]
)
async def test_who_lies_logs_nobody_in(tmp_path: Path, lie: Claims) -> None:
    async with oidc_house(tmp_path) as h:
        h.provider.claims |= lie
        assert code_of(await h.log_in()) == "oidc_token"
        assert (await h.me(), h.store.book.accounts) == ("nobody", {})


def as_hmac(secret: bytes) -> Callable[[Claims], str]:
    """Signed with what everybody knows, or we share."""
    return raw({"alg": "HS256", "kid": "first"}, secret)


def raw(header: dict[str, Any], key: Any) -> Callable[[Claims], str]:
    """What PyJWT itself would refuse to make."""

    def sign(claims: Claims) -> str:
        text = ".".join(b64(json.dumps(part).encode()) for part in (header, claims))
        return f"{text}.{b64(jwt.get_algorithm_by_name(header['alg']).sign(text.encode(), key))}"

    return sign


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


KEY = SigningKey("first", "RS256")
PUBLIC = KEY.private.public_key().public_bytes(
    serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
)
OTHER = SigningKey("first", "RS256")


@pytest.mark.parametrize(
    "sign",
    [
        lambda claims: unsigned(claims, "none"),
        lambda claims: unsigned(claims, "None"),
        lambda claims: unsigned(claims, "RS256"),
        lambda claims: unsigned(claims, ""),
        lambda claims: unsigned(claims, 5),  # type: ignore[arg-type]
        as_hmac(PUBLIC),
        as_hmac(CLIENT_SECRET.encode().ljust(32, b"\0")),
        OTHER.sign,
        lambda claims: KEY.sign(claims, kid="unknown"),
        raw({"alg": "RS256", "kid": 7}, KEY.private),
        raw({"alg": "RS256", "kid": "first", "crit": ["exp"]}, KEY.private),
        raw({"alg": "RS256", "kid": "first", "b64": False}, KEY.private),
        lambda claims: jwt.encode(claims, KEY.private, "RS512", {"kid": "first"}),
        lambda claims: KEY.sign(claims)[:-8] + "AAAAAAAA",
        lambda claims: KEY.sign(claims).rpartition(".")[0],
        lambda claims: KEY.sign(claims) + ".a.b",
        lambda _: "",
        lambda _: "..",
        lambda _: "a.b.c",
        lambda _: "ü.ü.ü",
        lambda _: KEY.sign({}).replace(".", ".e30", 1),
    ],
)
async def test_signatures_that_are_none(tmp_path: Path, sign: Callable[[Claims], str]) -> None:
    provider = OidcProvider(lambda: 0.0, key=KEY, sign=sign)
    async with oidc_house(tmp_path, provider) as h:
        assert code_of(await h.log_in()) == "oidc_token"
        assert await h.me() == "nobody"


def test_a_key_is_used_for_what_it_is_there_for() -> None:
    token, key = KEY.sign(HONEST), KEY.shown()
    assert signed_claims(token, [key]) == HONEST
    for wrong in (
        {"use": "enc"},
        {"alg": "PS256"},
        {"kty": "EC"},
        {"d": "x"},
        {"n": ""},
        {"n": "%"},
        {"e": 5},
    ):
        assert signed_claims(token, [key | wrong]) is None
    assert signed_claims(token, [{}, {"kty": "RSA"}, {"kty": "RSA", "kid": "first"}]) is None
    es = SigningKey("e")
    assert signed_claims(es.sign(HONEST), [es.shown() | {"crv": "P-384"}]) is None
    assert signed_claims(es.sign(HONEST), [{k: v for k, v in es.shown().items() if k != "crv"}]) is None


def test_a_token_that_names_no_key_is_tried_with_all_that_fit() -> None:
    token = jwt.encode(HONEST, KEY.private, "RS256")
    assert signed_claims(token, [SigningKey("e").shown(), OTHER.shown(), KEY.shown()]) == HONEST
    assert signed_claims(token, [OTHER.shown()]) is None


def test_short_keys_sign_nothing() -> None:
    short: Any = SigningKey("short", "RS256")
    short.private = rsa.generate_private_key(65537, 1024)
    with pytest.warns(jwt.InsecureKeyLengthWarning):
        token = short.sign(HONEST)
    assert signed_claims(token, [short.shown()]) is None


def test_what_is_signed_must_be_an_object() -> None:
    token = jwt.PyJWS().encode(b"[1]", KEY.private, "RS256", {"kid": "first"})
    with pytest.raises(OidcError, match="no JSON object"):
        signed_claims(token, [KEY.shown()])
