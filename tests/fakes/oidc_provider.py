"""An OpenID Connect provider that lies as a test wants it to. The honest one: tests/oidc-provider/."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import secrets
import ssl
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import parse_qsl, urlencode, urlsplit

import jwt
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

CLIENT_ID, CLIENT_SECRET = "lagebild", "ge:heim/47"
Claims = dict[str, Any]


class SigningKey:
    """A key of its own, as the provider has and shows it."""

    def __init__(self, key_id: str, algorithm: str = "ES256") -> None:
        self.id, self.algorithm = key_id, algorithm
        match algorithm:
            case "RS256" | "PS256":
                self.private: Any = rsa.generate_private_key(65537, 2048)
            case "EdDSA":
                self.private = ed25519.Ed25519PrivateKey.generate()
            case _:
                self.private = ec.generate_private_key(ec.SECP256R1())

    def sign(self, claims: Claims, **header: Any) -> str:
        return jwt.encode(claims, self.private, self.algorithm, {"kid": self.id} | header)

    def shown(self) -> dict[str, Any]:
        of_it = jwt.get_algorithm_by_name(self.algorithm).to_jwk(self.private.public_key(), as_dict=True)
        return {"kid": self.id, "use": "sig"} | of_it


@dataclass(slots=True)
class Granted:
    """A code that was given out."""

    nonce: str
    challenge: str
    redirect_uri: str


@dataclass(slots=True)
class OidcProvider:
    """`async with OidcProvider(now_s) as provider:`.

    `claims` are what it says of a person; each of `discovery` replaces one of its document's; `sign` makes
    the ID token; `statuses` and `bodies` are answered instead.
    """

    now_s: Callable[[], float]
    key: SigningKey = field(default_factory=lambda: SigningKey("first"))
    claims: Claims = field(default_factory=lambda: {"sub": "1001", "roles": ["fw-einsatzleiter"]})
    about: Claims | None = None  # what the user info says
    discovery: dict[str, Any] = field(default_factory=dict)
    keys: dict[str, Any] | None = None  # the whole set, instead of `key`
    sign: Callable[[Claims], str] | None = None
    statuses: dict[str, int] = field(default_factory=dict)
    bodies: dict[str, bytes] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    tls: ssl.SSLContext | None = None
    holds: dict[str, asyncio.Event] = field(default_factory=dict)  # no answer before these are set
    asked: Counter[str] = field(default_factory=Counter)
    forms: list[dict[str, str]] = field(default_factory=list)
    basics: list[str] = field(default_factory=list)
    issuer: str = ""
    _codes: dict[str, Granted] = field(default_factory=dict)
    _runner: web.AppRunner | None = None
    _port: int = 0

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.stop()

    async def start(self) -> None:
        """On the port of the last time, where there was one."""
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._answer)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self._port, ssl_context=self.tls)
        await site.start()
        self._port = self._runner.addresses[0][1]
        scheme, host = ("https", "localhost") if self.tls else ("http", "127.0.0.1")
        self.issuer = f"{scheme}://{host}:{self._port}"

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    def log_in(self, url: str) -> dict[str, str]:
        """What a person's browser is sent back with who goes to `url` and logs in there."""
        asked = dict(parse_qsl(urlsplit(url).query))
        assert asked["response_type"] == "code"
        assert asked["code_challenge_method"] == "S256"
        code = secrets.token_urlsafe(8)
        self._codes[code] = Granted(asked["nonce"], asked["code_challenge"], asked["redirect_uri"])
        return {"code": code, "state": asked["state"], "iss": self.issuer}

    async def _answer(self, request: web.Request) -> web.Response:
        path = request.path
        self.asked[path] += 1
        if path in self.holds:
            await self.holds[path].wait()
        if path in self.statuses or path in self.bodies:
            body = self.bodies.get(path, b"{}")
            return web.Response(body=body, status=self.statuses.get(path, 200), headers=self.headers)
        match path:
            case "/.well-known/openid-configuration":
                return web.json_response(self._document())
            case "/keys":
                return web.json_response(self.keys or {"keys": [self.key.shown()]})
            case "/token":
                return await self._token(request)
            case "/me":
                assert request.headers["Authorization"] == "Bearer access"
                return web.json_response(self.about or {})
            case _:
                return web.json_response({}, status=404)

    def _document(self) -> dict[str, Any]:
        document = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/auth",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            "userinfo_endpoint": f"{self.issuer}/me",
            "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": True,
        }
        return {k: v for k, v in (document | self.discovery).items() if v is not None}

    async def _token(self, request: web.Request) -> web.Response:
        form = {name: str(value) for name, value in (await request.post()).items()}
        self.forms.append(form)
        self.basics.append(request.headers.get("Authorization", ""))
        granted = self._codes.pop(form["code"], None)
        digest = hashlib.sha256(form["code_verifier"].encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if granted is None or (granted.challenge, granted.redirect_uri) != (challenge, form["redirect_uri"]):
            return web.json_response({"error": "invalid_grant"}, status=400)
        claims = self.honest(granted.nonce) | self.claims
        claims = {name: value for name, value in claims.items() if value is not None}
        token = self.sign(claims) if self.sign else self.key.sign(claims)
        return web.json_response({"id_token": token, "access_token": "access", "token_type": "Bearer"})

    def honest(self, nonce: str) -> Claims:
        now_s = int(self.now_s())
        return {"iss": self.issuer, "aud": CLIENT_ID, "iat": now_s, "exp": now_s + 300, "nonce": nonce}


def unsigned(claims: Claims, algorithm: str) -> str:
    """Signed by nobody, whatever its header says."""
    parts = ({"alg": algorithm, "typ": "JWT"}, claims)
    return ".".join(_text(json.dumps(part).encode()) for part in parts) + "."


def address(base: str, path: str, query: dict[str, str]) -> str:
    return f"{base}{path}?{urlencode(query)}"


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
