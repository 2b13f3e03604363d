"""The doctor asks the provider, and says what it must know of us."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.fakes.oidc_provider import OidcProvider
from tests.unit.web.oidc_house import ROLES
from web.doctor_oidc import check_provider, redirect_uris
from web.doctor_report import Finding, Level
from web.settings import OidcSettings, ServerSettings, Settings


async def found(change: Callable[[OidcProvider], object] = lambda _: None) -> list[Finding]:
    """What the doctor says of a provider, in a thread as the command has one to itself."""
    async with OidcProvider(lambda: 0.0) as provider:
        change(provider)
        settings = Settings(oidc=_oidc(provider.issuer))
        return await asyncio.to_thread(lambda: list(check_provider(settings)))


def _oidc(issuer: str, ca: str = "") -> OidcSettings:
    return replace(ROLES, issuer=issuer, ca=ca)


def test_without_one_nothing_is_wrong() -> None:
    (said,) = check_provider(Settings())
    assert (said.level, "not used" in said.what) == (Level.OK, True)


async def test_one_that_answers_and_what_it_must_know() -> None:
    answers, known = await found()
    assert (answers.level, "answers, with 1 keys" in answers.what) == (Level.OK, True)
    assert "'lagebild', the redirect URI http://127.0.0.1:8080/login/oidc/back" in known.what


async def test_one_whose_keys_are_of_no_use() -> None:
    def lie(provider: OidcProvider) -> None:
        provider.keys = {"keys": [provider.key.shown() | {"use": "enc"}]}

    said = (await found(lie))[0]
    assert (said.level, "RS256, PS256, ES256, EdDSA" in said.what) == (Level.FAIL, True)


async def test_one_that_calls_itself_something_else() -> None:
    def lie(provider: OidcProvider) -> None:
        provider.discovery = {"issuer": "https://login.example"}

    (said,) = await found(lie)
    assert said.level is Level.FAIL
    assert "says that it is 'https://login.example'" in said.what


def test_one_that_is_away() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    (said,) = check_provider(Settings(oidc=_oidc(f"http://127.0.0.1:{port}")))
    assert (said.level, "does not answer" in said.what) == (Level.FAIL, True)
    assert "local accounts do" in said.todo


def test_a_ca_that_is_not_there(tmp_path: Path) -> None:
    (said,) = check_provider(Settings(oidc=_oidc("https://a.example", ca=str(tmp_path / "ca.pem"))))
    assert (said.level, "oidc.ca" in said.what) == (Level.FAIL, True)


@pytest.mark.parametrize(
    ("server", "uris"),
    [
        (ServerSettings(), ["http://127.0.0.1:8080"]),
        (ServerSettings(host="::1", port=80), ["http://[::1]"]),
        (ServerSettings(host="0.0.0.0", names=("elw.example", "b")), ["https://elw.example:8080", "https://b:8080"]),
        (ServerSettings(host="192.0.2.1", port=443, names=("elw",)), ["https://elw", "https://192.0.2.1"]),
        (ServerSettings(names=("elw.example",), proxies=("127.0.0.1",)), ["https://elw.example"]),
    ],
)  # fmt: skip
def test_where_the_provider_sends_people_back_to(server: ServerSettings, uris: list[str]) -> None:
    assert redirect_uris(server) == [f"{uri}/login/oidc/back" for uri in uris]
