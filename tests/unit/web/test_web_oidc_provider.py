"""The provider's document and keys: kept, changed, away, elsewhere, too large, or somebody else's."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path
from typing import Any

import pytest

from flow.clock import NS_PER_S
from flow.errors import ConfigError
from tests.fakes.certificates import Authority
from tests.fakes.oidc_provider import OidcProvider, SigningKey
from tests.unit.web.oidc_house import browser, code_of, oidc_house
from web.oidc import flow
from web.oidc.errors import OidcError
from web.oidc.fetch import MOST_BYTES, Fetcher
from web.oidc.provider import AGAIN_NS, AWAY_NS, KEPT_NS
from web.oidc.settings_checks import check_oidc, origin_of, tls_of
from web.settings import OidcSettings
from web.settings_file import load_settings

DOCUMENT, KEYS, TOKEN = "/.well-known/openid-configuration", "/keys", "/token"


async def test_document_and_keys_are_kept_for_an_hour(tmp_path: Path) -> None:
    async with oidc_house(tmp_path) as h:
        await h.log_in()
        await h.log_in()
        assert (h.provider.asked[DOCUMENT], h.provider.asked[KEYS]) == (1, 1)
        h.clock.advance(KEPT_NS)
        await h.log_in()
        assert (h.provider.asked[DOCUMENT], h.provider.asked[KEYS]) == (2, 2)


async def test_keys_that_are_changed_are_asked_for_again_but_not_often(tmp_path: Path) -> None:
    async with oidc_house(tmp_path) as h:
        await h.log_in()
        h.provider.key = SigningKey("second")
        assert await h.log_in() == "/"
        assert h.provider.asked[KEYS] == 2
        stranger = SigningKey("third")
        h.provider.sign = stranger.sign
        for _ in range(5):
            assert code_of(await h.log_in()) == "oidc_token"
        assert h.provider.asked[KEYS] == 2
        h.clock.advance(AGAIN_NS)
        assert code_of(await h.log_in()) == "oidc_token"
        assert h.provider.asked[KEYS] == 3


async def test_a_key_that_was_withdrawn_signs_nothing_more(tmp_path: Path) -> None:
    async with oidc_house(tmp_path) as h:
        await h.log_in()
        h.provider.sign, h.provider.key = h.provider.key.sign, SigningKey("second")
        assert await h.log_in() == "/"  # within the hour that keys are kept
        h.clock.advance(KEPT_NS)
        assert code_of(await h.log_in()) == "oidc_token"


async def test_a_provider_that_is_away_is_not_asked_by_everybody(tmp_path: Path) -> None:
    async with oidc_house(tmp_path) as h:
        h.provider.statuses[DOCUMENT] = 503
        codes = [code_of(each) for each in await asyncio.gather(*(h.begin("/flights") for _ in range(5)))]
        assert codes == ["oidc_unavailable"] * 5
        assert h.provider.asked[DOCUMENT] == 1
        h.provider.statuses.clear()
        assert code_of(await h.begin()) == "oidc_unavailable"
        h.clock.advance(AWAY_NS)
        assert await h.log_in() == "/"
        assert h.provider.asked[DOCUMENT] == 2


async def test_a_provider_that_goes_away_in_the_middle_and_comes_back(tmp_path: Path) -> None:
    async with oidc_house(tmp_path) as h:
        back = h.provider.log_in(await h.begin())
        await h.provider.stop()
        assert code_of(await h.back(back)) == "oidc_unavailable"
        assert await h.me() == "nobody"
        await h.provider.start()
        assert await h.log_in() == "/"


async def test_while_it_keeps_people_waiting_everything_else_goes_on(tmp_path: Path) -> None:
    async with oidc_house(tmp_path) as h:
        back = h.provider.log_in(await h.begin())
        answers = h.provider.holds[TOKEN] = asyncio.Event()
        login = asyncio.ensure_future(h.back(back))
        while not h.provider.asked[TOKEN]:
            await asyncio.sleep(0)
        assert await h.me() == "nobody"
        assert not login.done()
        answers.set()
        assert await login == "/"


async def test_only_so_many_wait_for_it_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flow, "WAITING_MOST", flow.AT_ONCE + 1)
    async with oidc_house(tmp_path) as h:
        back = h.provider.log_in(await h.begin())
        answers = h.provider.holds[TOKEN] = asyncio.Event()
        async with browser() as another:  # with the same cookies, as often as one likes
            another.cookie_jar.update_cookies({each.key: each for each in h.http.cookie_jar})
            waiting = [asyncio.ensure_future(h.back(back)) for _ in range(flow.AT_ONCE + 1)]
            while h.provider.asked[TOKEN] < flow.AT_ONCE:
                await asyncio.sleep(0)
            first, h.http = h.http, another
            assert code_of(await h.back(back)) == "oidc_busy"
            h.http = first
            answers.set()
            ended = await asyncio.gather(*waiting)
        assert ended.count("/") == 1
        assert h.provider.asked[TOKEN] == flow.AT_ONCE + 1


@pytest.mark.parametrize(
    "lie",
    [
        {"issuer": "https://evil.example"},
        {"issuer": None},
        {"token_endpoint": None},
        {"token_endpoint": 5},
        {"token_endpoint": "https://evil.example/token"},
        {"token_endpoint": "http://127.0.0.1:1/token"},
        {"jwks_uri": "file:///etc/passwd"},
        {"jwks_uri": "http://169.254.169.254/keys"},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"authorization_endpoint": "https://evil.example/auth"},
        {"code_challenge_methods_supported": ["plain"]},
    ],
)
async def test_a_document_that_leads_elsewhere_is_not_followed(tmp_path: Path, lie: dict[str, Any]) -> None:
    async with oidc_house(tmp_path) as h:
        h.provider.discovery = lie
        assert code_of(await h.begin()) == "oidc_unavailable"


async def test_user_info_of_another_origin_is_not_asked(tmp_path: Path) -> None:
    async with oidc_house(tmp_path, roles_claim="groups") as h:
        h.provider.discovery = {"userinfo_endpoint": "https://graph.example/me"}
        assert code_of(await h.log_in()) == "oidc_no_role"


async def test_a_document_may_name_origins_that_the_settings_know(tmp_path: Path) -> None:
    async with OidcProvider(lambda: 0.0) as other:
        async with oidc_house(tmp_path, origins=(other.issuer,)) as h:
            other.key = h.provider.key
            h.provider.discovery = {
                "jwks_uri": f"{other.issuer}/keys",
                "code_challenge_methods_supported": None,
            }
            assert await h.log_in() == "/"
            assert (other.asked[KEYS], h.provider.asked[KEYS]) == (1, 0)


@pytest.mark.parametrize(
    ("path", "status", "body", "headers"),
    [
        (DOCUMENT, 302, b"", {"Location": "http://127.0.0.1:1/"}),
        (KEYS, 301, b"", {"Location": "/me"}),
        (TOKEN, 307, b"", {"Location": "/me"}),
        (DOCUMENT, 404, b"{}", {}),
        (KEYS, 500, b"{}", {}),
        (TOKEN, 500, b"{}", {}),
        (DOCUMENT, 200, b"<html>", {}),
        (DOCUMENT, 200, b"[]", {}),
        (DOCUMENT, 200, b"[" * 100_000, {}),
        (KEYS, 200, b'{"keys": 5}', {}),
        (KEYS, 200, b'{"keys": "' + b"x" * MOST_BYTES + b'"}', {}),
        (TOKEN, 200, b"\xff", {}),
    ],
)
async def test_answers_that_are_none(
    tmp_path: Path, path: str, status: int, body: bytes, headers: dict[str, str]
) -> None:
    async with oidc_house(tmp_path) as h:
        if path != DOCUMENT:
            back = h.provider.log_in(await h.begin())
        h.provider.statuses[path], h.provider.bodies[path], h.provider.headers = status, body, headers
        ended = await h.begin() if path == DOCUMENT else await h.back(back)
        assert code_of(ended) == "oidc_unavailable"
        assert h.provider.asked["/me"] == 0


async def test_an_endpoint_that_refuses_us_is_no_fault_of_the_person(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with oidc_house(tmp_path) as h:
        back = h.provider.log_in(await h.begin())
        h.provider.statuses[TOKEN], h.provider.bodies[TOKEN] = 401, b'{"error": "invalid_client\\n<b>"}'
        assert code_of(await h.back(back)) == "oidc_refused"
        assert "answers 401 'invalid_clientb'" in caplog.text


async def test_who_answers_nothing_is_given_up() -> None:
    gone = asyncio.Event()

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()
        await writer.wait_closed()
        gone.set()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server:
        with pytest.raises(OidcError, match="does not answer"):
            await Fetcher(frozenset({origin_of(url)}), ssl.create_default_context(), 0.05).get(url)
        await gone.wait()


async def test_no_log_line_holds_a_secret(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    async with oidc_house(tmp_path) as h:
        await h.log_in()
        back = h.provider.log_in(await h.begin())
        h.provider.claims["roles"] = []
        await h.back(back)
        verifiers = [form["code_verifier"] for form in h.provider.forms]
        secrets = [*verifiers, back["code"], back["state"], "ge:heim/47", *h.provider.basics]
        assert "oidc_no_role" in caplog.text
        assert not [each for each in secrets if each in caplog.text + repr(h.log.entries)]


async def test_lines_of_failures_are_few(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with oidc_house(tmp_path) as h:
        for _ in range(20):
            await h.back({"state": "x"})
        assert len(caplog.records) == 1
        h.clock.advance(10 * NS_PER_S)
        await h.back({"state": "x"})
        assert "and 19 more" in caplog.records[1].message


async def test_a_provider_with_a_certificate_of_the_citys_own(tmp_path: Path) -> None:
    certificate, key = Authority(tmp_path).issue("localhost")
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(certificate, key)
    provider = OidcProvider(lambda: 0.0, tls=tls)
    async with oidc_house(tmp_path / "knows", provider, ca=str(tmp_path / "ca.pem")) as h:
        assert h.provider.issuer.startswith("https://localhost:")
        assert await h.log_in() == "/"
    async with oidc_house(tmp_path / "knows not", provider) as h:
        assert code_of(await h.begin()) == "oidc_unavailable"
    Authority(tmp_path, "another")
    async with oidc_house(tmp_path / "another's", provider, ca=str(tmp_path / "another.pem")) as h:
        assert code_of(await h.begin()) == "oidc_unavailable"


@pytest.mark.parametrize("holds", [None, b"no certificate"])
def test_a_ca_that_cannot_be_used_is_told_at_the_start(tmp_path: Path, holds: bytes | None) -> None:
    ca = tmp_path / "ca.pem"
    if holds is not None:
        ca.write_bytes(holds)
    with pytest.raises(ConfigError, match=r"oidc\.ca: .* cannot be used"):
        tls_of(OidcSettings(issuer="https://a.example", ca=str(ca)))


GOOD = {"issuer": "https://login.example/realms/fw", "client_id": "lagebild", "viewer": ("x",)}


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"issuer": "http://127.0.0.1:3000"},
        {"issuer": "http://localhost:3000/x"},
        {"origins": ("https://keys.example", "https://b.example:8443/")},
    ],
)
def test_settings_that_are_right(more: dict[str, Any]) -> None:
    check_oidc(OidcSettings(**GOOD | more), "x")


def test_without_a_provider_nothing_is_needed() -> None:
    check_oidc(OidcSettings(), "x")


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"issuer": ""}, "oidc.client_id is set, and oidc.issuer is not"),
        ({"issuer": "http://login.example"}, "oidc.issuer is https://HOST/…"),
        ({"issuer": "login.example"}, "oidc.issuer is https://HOST/…"),
        ({"issuer": "https://u:geheim@login.example"}, "not 'login.example'"),
        ({"issuer": "https://login.example:99999"}, "oidc.issuer is https://HOST/…"),
        ({"issuer": "https://login.example?x=1"}, "no '?' and no '#'"),
        ({"issuer": "https://login.example" + DOCUMENT}, "without /.well-known/openid-configuration"),
        ({"client_id": ""}, "oidc.client_id is missing"),
        ({"roles_claim": ""}, "oidc.roles_claim is missing"),
        ({"viewer": ()}, "nobody could log in by oidc"),
        ({"viewer": ("",)}, "an empty text"),
        ({"origins": ("http://keys.example",)}, "oidc.origins is https://HOST/…"),
        ({"origins": ("https://keys.example/x",)}, "without a path"),
    ],
)
def test_settings_that_cannot_be_right(more: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError) as raised:
        check_oidc(OidcSettings(**GOOD | more), "x")
    assert said in str(raised.value)
    assert "geheim" not in str(raised.value)


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://A.example/x", "https://a.example:443"),
        ("https://a.example:443", "https://a.example:443"),
        ("http://[::1]:80/x", "http://[::1]:80"),
        ("http://127.0.0.1/", "http://127.0.0.1:80"),
        ("http://127.0.0.1.evil.example/", ""),
        ("http://10.0.0.1/", ""),
        ("https://a.example@evil.example/", ""),
        ("ftp://a.example/", ""),
        ("//a.example/", ""),
        ("https:///x", ""),
        ("https://[::1", ""),
        ("", ""),
    ],
)
def test_origins(url: str, origin: str) -> None:
    assert origin_of(url) == origin


def test_the_file_says_it_and_the_ca_lies_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "lagebild.toml"
    path.write_text(
        "[oidc]\nissuer = 'https://a.example'\nclient_id = 'x'\nca = 'stadt.pem'\nviewer = ['el']\n"
    )
    oidc = load_settings(path, {"LAGEBILD_OIDC_CLIENT_SECRET": "aus der Umgebung"}).oidc
    assert (oidc.ca, oidc.client_secret) == (str(tmp_path / "stadt.pem"), "aus der Umgebung")
    assert "Umgebung" not in repr(oidc)
    path.write_text("[oidc]\nissuer = 'https://a.example'\n")
    with pytest.raises(ConfigError, match=r"lagebild.toml: oidc\.client_id is missing"):
        load_settings(path, {})
    example = load_settings(Path(__file__).parents[3] / "config.example.toml", {})
    assert example.oidc == OidcSettings()
