"""Login, accounts and tokens over HTTP, at a service as it runs beyond this machine."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from flow.clock import SystemClock
from tests.fakes.accounts import PASSWORD, make_account, make_invite, make_session
from web.access import Role
from web.access.recognise import GUEST_COOKIE, SESSION_COOKIE, new_cookie
from web.access.store import AccessStore
from web.service import Running, running_service
from web.settings import (
    AccessSettings,
    AircraftSettings,
    FeedSettings,
    OidcSettings,
    ServerSettings,
    Settings,
    WebRtcSettings,
)


@dataclass
class Answer:
    status: int
    body: Any
    headers: Any

    @property
    def code(self) -> str:
        return str(self.body["error"]["code"])

    @property
    def cookies(self) -> SimpleCookie:
        cookies = SimpleCookie()
        for line in self.headers.getall("Set-Cookie", []):
            cookies.load(line)
        return cookies


class Browser:
    """Asks, with the cookies that it was given."""

    def __init__(self, http: aiohttp.ClientSession, cookies: dict[str, str] | None = None) -> None:
        self._http, self.cookies = http, cookies or {}

    async def ask(self, method: str, path: str, json: Any = None, **headers: str) -> Answer:
        if self.cookies:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        async with self._http.request(method, path, json=json, headers=headers) as reply:
            is_json = reply.content_type == "application/json"
            answer = Answer(reply.status, await reply.json() if is_json else None, reply.headers)
        for name, morsel in answer.cookies.items():
            self.cookies[name] = morsel.value
            if not morsel.value:
                del self.cookies[name]
        return answer

    async def log_in(self, login: str, password: str = PASSWORD) -> Answer:
        return await self.ask("POST", "/api/v1/login", {"login": login, "password": password})

    async def me(self) -> Any:
        return (await self.ask("GET", "/api/v1/me")).body


@asynccontextmanager
async def service(data_dir: Path, **more: Any) -> AsyncIterator[tuple[Running, aiohttp.ClientSession]]:
    settings = Settings(
        server=ServerSettings(port=0, data_dir=str(data_dir)),
        webrtc=WebRtcSettings(port=0),
        access=AccessSettings(this_machine=False),
        **more,
    )
    async with (
        running_service(settings) as running,
        aiohttp.ClientSession(running.url, cookie_jar=aiohttp.DummyCookieJar()) as http,
    ):
        yield running, http


async def test_a_new_house_from_the_first_link_to_the_first_login(tmp_path: Path) -> None:
    async with service(tmp_path) as (running, http):
        page, _, token = running.first_link.partition("#")
        assert page == f"{running.url}welcome"
        browser = Browser(http)
        me = await browser.me()
        assert (me["kind"], me["permissions"]) == ("nobody", ["public", "publish"])
        assert me["ways"] == {"password": False, "oidc": None, "first": True}
        assert (await browser.ask("GET", "/api/v1/feeds")).code == "login_needed"
        seen = await browser.ask("POST", "/api/v1/invited/look", {"token": token})
        assert (seen.body["kind"], seen.body["login"]) == ("first_administrator", "")
        wish = {"token": token, "password": PASSWORD, "login": "Chef", "name": "Petra Wolf"}
        assert (
            await browser.ask("POST", "/api/v1/invited", wish | {"password": "chef112chef"})
        ).status == 400
        assert (await browser.ask("POST", "/api/v1/invited", wish)).status == 204
        me = await browser.me()
        assert (me["login"], me["roles"], me["ways"]["first"]) == ("chef", ["administrator"], False)
        assert (await browser.ask("GET", "/api/v1/accounts")).status == 200
        assert (await browser.ask("POST", "/api/v1/invited", wish | {"login": "x2"})).code == "invite_gone"
        assert (await browser.ask("POST", "/api/v1/logout")).status == 204
        assert SESSION_COOKIE not in browser.cookies
        assert (await browser.me())["kind"] == "nobody"
        assert (await browser.log_in("chef")).status == 204
        assert (await browser.me())["name"] == "Petra Wolf"
    async with service(tmp_path) as (running, _):
        assert running.first_link == ""  # there is one now


async def test_a_new_first_link_at_every_start_and_none_where_this_machine_is_trusted(tmp_path: Path) -> None:
    links = set()
    for _ in range(2):
        async with service(tmp_path) as (running, http):
            links.add(running.first_link)
            for link in links - {running.first_link}:
                look = {"token": link.partition("#")[2]}
                assert (await Browser(http).ask("POST", "/api/v1/invited/look", look)).code == "invite_gone"
    assert len(links) == 2
    trusted = Settings(
        server=ServerSettings(port=0, data_dir=str(tmp_path / "other")), webrtc=WebRtcSettings(port=0)
    )
    async with running_service(trusted) as running:
        assert running.first_link == ""
        async with aiohttp.ClientSession(running.url) as http:
            assert (await Browser(http).me())["kind"] == "local"
    assert not (tmp_path / "other" / "access.sqlite").exists()


async def test_cookies_are_of_this_service_alone_and_no_script_reads_them(tmp_path: Path) -> None:
    make_account(tmp_path, "wolf", Role.PILOT)
    async with service(tmp_path) as (_, http):
        told = await Browser(http).log_in("wolf")
        assert told.status == 204
        session = told.cookies[SESSION_COOKIE]
        assert (session["httponly"], session["samesite"], session["path"]) == (True, "Lax", "/")
        assert (session["max-age"], session["domain"], session["secure"]) == (str(30 * 86_400), "", "")
        (device,) = [name for name in told.cookies if name != SESSION_COOKIE]
        assert told.cookies[device]["path"] == "/api/v1/login"
        assert told.cookies[device]["httponly"] is True
        again = await Browser(http).log_in("wolf")
        assert again.cookies[SESSION_COOKIE].value != session.value


async def test_behind_a_proxy_that_speaks_https_cookies_are_secure(tmp_path: Path) -> None:
    make_account(tmp_path, "wolf", Role.PILOT)
    settings = Settings(
        server=ServerSettings(port=0, data_dir=str(tmp_path), proxies=("127.0.0.1",), names=("elw.example",)),
        webrtc=WebRtcSettings(port=0),
    )
    async with running_service(settings) as running, aiohttp.ClientSession(running.url) as http:
        assert running.first_link.startswith("https://elw.example/welcome#")
        wish, seen = {"login": "wolf", "password": PASSWORD}, {"Host": "elw.example"}
        for proto, secure in (("https", True), ("http", "")):
            told = await Browser(http).ask(
                "POST", "/api/v1/login", wish, **seen, **{"X-Forwarded-Proto": proto}
            )
            assert told.status == 204
            assert {morsel["secure"] for morsel in told.cookies.values()} == {secure}


async def test_whoever_is_behind_one_proxy_is_told_apart(tmp_path: Path) -> None:
    settings = Settings(
        server=ServerSettings(port=0, data_dir=str(tmp_path), proxies=("127.0.0.1",)),
        webrtc=WebRtcSettings(port=0),
    )
    async with running_service(settings) as running, aiohttp.ClientSession(running.url) as http:
        for number in range(25):
            wish = {"login": f"login{number}", "password": "falsch"}
            told = await Browser(http).ask("POST", "/api/v1/login", wish, **{"X-Forwarded-For": "192.0.2.66"})
        assert told.status == 429
        told = await Browser(http).ask("POST", "/api/v1/login", wish, **{"X-Forwarded-For": "192.0.2.7"})
        assert told.status == 401


async def test_wrong_and_throttled(tmp_path: Path) -> None:
    make_account(tmp_path, "wolf", Role.PILOT)
    async with service(tmp_path, oidc=OidcSettings()) as (_, http):
        browser = Browser(http)
        for _ in range(5):
            wrong = await browser.log_in("wolf", "falsch")
            assert (wrong.status, wrong.code) == (401, "login_wrong")
            assert not wrong.cookies
        refused = await browser.log_in("wolf")
        assert (refused.status, refused.code) == (429, "login_throttled")
        assert refused.headers["Retry-After"] == "1"
        for body in (
            {},
            {"login": "wolf"},
            {"login": "w" * 201, "password": "x"},
            {"login": 1, "password": "x"},
        ):
            assert (await browser.ask("POST", "/api/v1/login", body)).status == 400


async def test_a_page_of_another_site_logs_nobody_in(tmp_path: Path) -> None:
    make_account(tmp_path, "wolf", Role.PILOT)
    wish = {"login": "wolf", "password": PASSWORD}
    async with service(tmp_path) as (_, http):
        for headers in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
            told = await Browser(http).ask("POST", "/api/v1/login", wish, **headers)
            assert (told.status, told.code) == (403, "forbidden")


async def test_no_secret_is_kept_or_told_anywhere(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Neither in the file of accounts, nor in the audit log, nor in the service's own."""
    caplog.set_level(logging.DEBUG)
    secrets = [PASSWORD, "ein falsches, altes", "ein anderes, neues"]
    async with service(tmp_path) as (running, http):
        chef, wolf = Browser(http), Browser(http)
        secrets.append(running.first_link.partition("#")[2])
        wish = {"token": secrets[-1], "password": PASSWORD, "login": "chef"}
        assert (await chef.ask("POST", "/api/v1/invited", wish)).status == 204
        made = await chef.ask("POST", "/api/v1/accounts", {"login": "wolf", "name": "W", "roles": ["pilot"]})
        link = (await chef.ask("POST", f"/api/v1/accounts/{made.body['id']}/invite")).body["url"]
        secrets.append(link.partition("#")[2])
        use = {"token": secrets[-1], "password": PASSWORD}
        assert (await wolf.ask("POST", "/api/v1/invited", use)).status == 204
        secrets.append((await chef.ask("POST", "/api/v1/tokens", {"name": "x", "kind": "api"})).body["token"])
        assert (await wolf.log_in("wolf", secrets[1])).status == 401
        assert (await wolf.log_in(secrets[1])).status == 401  # in the wrong field
        change = {"old": PASSWORD, "new": secrets[2]}
        assert (await wolf.ask("PUT", "/api/v1/me/password", change)).status == 204
        secrets += [*chef.cookies.values(), *wolf.cookies.values()]
        assert (await wolf.ask("POST", "/api/v1/logout")).status == 204
    files = [each.read_bytes() for each in tmp_path.rglob("*") if each.is_file()]
    assert any(b"logged_out" in each for each in files)  # the audit log is among them
    for secret in secrets:
        assert secret not in caplog.text
        assert not any(secret.encode() in each for each in files)


async def test_a_new_password_logs_out_everywhere_else(tmp_path: Path) -> None:
    make_account(tmp_path, "wolf", Role.PILOT)
    new = "ein anderes, neues"
    async with service(tmp_path) as (_, http):
        here, elsewhere = Browser(http), Browser(http)
        assert (await here.log_in("wolf")).status == (await elsewhere.log_in("wolf")).status == 204
        path = "/api/v1/me/password"
        for change, code in (
            ({"old": "falsch", "new": new}, "password_wrong"),
            ({"old": PASSWORD, "new": "kurz"}, "password_weak"),
        ):
            assert (await here.ask("PUT", path, change)).code == code
        assert (await here.ask("PUT", path, {"old": PASSWORD, "new": new})).status == 204
        assert (await here.me())["login"] == "wolf"
        assert (await elsewhere.me())["kind"] == "nobody"
        assert (await elsewhere.log_in("wolf")).status == 401
        assert (await elsewhere.log_in("wolf", new)).status == 204


async def test_an_administrator_keeps_accounts(tmp_path: Path) -> None:
    cookies = make_session(tmp_path, make_account(tmp_path, "chef", Role.ADMINISTRATOR))
    async with service(tmp_path) as (running, http):
        chef, wolf = Browser(http, cookies), Browser(http)
        made = await chef.ask(
            "POST", "/api/v1/accounts", {"login": "Wolf", "name": "Petra Wolf", "roles": ["viewer"]}
        )
        one = f"/api/v1/accounts/{made.body['id']}"
        invited = await chef.ask("POST", f"{one}/invite")
        assert invited.headers["Cache-Control"] == "no-store"
        page, _, token = invited.body["url"].partition("#")
        assert page == f"{running.url}welcome"
        seen = await wolf.ask("POST", "/api/v1/invited/look", {"token": token})
        assert (seen.body["kind"], seen.body["login"], seen.body["name"]) == (
            "password",
            "wolf",
            "Petra Wolf",
        )
        use = {"token": token, "password": PASSWORD}
        assert (await wolf.ask("POST", "/api/v1/invited", use | {"login": "chef"})).status == 400
        assert (
            await wolf.ask("POST", "/api/v1/invited", use | {"password": "Petra-Wolf-1"})
        ).code == "password_weak"
        assert (await wolf.ask("POST", "/api/v1/invited", use)).status == 204
        assert "mark" in (await wolf.me())["permissions"]
        assert (await wolf.ask("GET", "/api/v1/accounts")).code == "forbidden"
        changed = await chef.ask("PATCH", one, {"roles": ["dispatcher", "viewer"]})
        assert (changed.body["roles"], changed.body["sessions"]) == (["dispatcher", "viewer"], 1)
        assert "share" in (await wolf.me())["permissions"]  # at once, on the device that is logged in
        assert (await chef.ask("DELETE", f"{one}/sessions")).status == 204
        assert (await wolf.me())["kind"] == "nobody"
        assert (await wolf.log_in("wolf")).status == 204
        assert (await chef.ask("PATCH", one, {"disabled": True})).body["disabled"] is True
        assert (await wolf.me())["kind"] == "nobody"
        assert (await wolf.log_in("wolf")).code == "login_wrong"
        assert (await chef.ask("PATCH", one, {"disabled": False})).status == 200
        assert (await wolf.log_in("wolf")).status == 204
        assert (await chef.ask("DELETE", one)).status == 204
        assert (await wolf.me())["kind"] == "nobody"
        listed = (await chef.ask("GET", "/api/v1/accounts")).body["accounts"]
        assert [each["login"] for each in listed] == ["chef"]
        own = f"/api/v1/accounts/{listed[0]['id']}"
        for refused in (await chef.ask("DELETE", own), await chef.ask("PATCH", own, {"roles": ["pilot"]})):
            assert (refused.status, refused.code) == (409, "last_administrator")


@pytest.mark.parametrize(
    "how", ["disabled", "logged out", "removed", "new password elsewhere", "token withdrawn"]
)
async def test_what_runs_ends_when_it_is_taken_back(tmp_path: Path, how: str) -> None:
    wolf_id = make_account(tmp_path, "wolf", Role.PILOT)
    cookies = make_session(tmp_path, make_account(tmp_path, "chef", Role.ADMINISTRATOR))
    fritz = AircraftSettings("fritz", feed=(FeedSettings("tag", "whip"),))
    async with service(tmp_path, aircraft=(fritz,)) as (_, http):
        chef, wolf, elsewhere = Browser(http, cookies), Browser(http), Browser(http)
        made = (await chef.ask("POST", "/api/v1/tokens", {"name": "ELS", "kind": "api"})).body
        await wolf.log_in("wolf")
        await elsewhere.log_in("wolf")
        headers = {"Cookie": f"{SESSION_COOKIE}={wolf.cookies[SESSION_COOKIE]}"}
        if how == "token withdrawn":
            headers = {"Authorization": f"Bearer {made['token']}"}
        one = f"/api/v1/accounts/{wolf_id}"
        new = {"old": PASSWORD, "new": "ein anderes, neues"}
        takes_back = {
            "disabled": chef.ask("PATCH", one, {"disabled": True}),
            "logged out": chef.ask("DELETE", f"{one}/sessions"),
            "removed": chef.ask("DELETE", one),
            "new password elsewhere": elsewhere.ask("PUT", "/api/v1/me/password", new),
            "token withdrawn": chef.ask("DELETE", f"/api/v1/tokens/{made['made']['id']}"),
        }
        async with (
            asyncio.timeout(20),
            http.ws_connect("/api/v1/feeds/tag/telemetry", headers=headers) as page,
        ):
            await page.receive()  # he watches
            assert (await takes_back.pop(how)).status in (200, 204)
            while not page.closed:
                await page.receive()
            assert page.close_code == 4403
        for other in takes_back.values():
            other.close()


async def test_a_token_opens_what_it_is_for_until_it_is_withdrawn(tmp_path: Path) -> None:
    cookies = make_session(tmp_path, make_account(tmp_path, "chef", Role.ADMINISTRATOR))
    async with service(tmp_path) as (_, http):
        chef, machine = Browser(http, cookies), Browser(http)
        made = (await chef.ask("POST", "/api/v1/tokens", {"name": "Prometheus", "kind": "metrics"})).body
        bearer = {"Authorization": f"Bearer {made['token']}"}
        me = (await machine.ask("GET", "/api/v1/me", **bearer)).body
        assert (me["kind"], me["name"], me["permissions"]) == (
            "machine", "Prometheus", ["operate", "public", "publish"],
        )  # fmt: skip
        assert (await machine.ask("GET", "/metrics", **bearer)).status == 200
        assert (await machine.ask("GET", "/api/v1/feeds", **bearer)).code == "forbidden"
        assert (await machine.ask("POST", "/api/v1/logout", **bearer)).code == "forbidden"
        (shown,) = (await chef.ask("GET", "/api/v1/tokens")).body["tokens"]
        assert (shown["by"], shown["kind"], shown["expires_ms"]) == ("chef", "metrics", None)
        assert made["token"] not in str(shown)
        assert (await chef.ask("DELETE", f"/api/v1/tokens/{shown['id']}")).status == 204
        assert (await machine.ask("GET", "/metrics", **bearer)).code == "token_wrong"


async def test_a_guest_leaves(tmp_path: Path) -> None:
    wolf, now_ns = make_account(tmp_path, "wolf", Role.DISPATCHER), SystemClock().now_ns()
    with contextlib.closing(AccessStore(tmp_path, SystemClock())) as store:
        store.open()
        cookie, session = new_cookie(store.book.house_key)

        def enter(file: sqlite3.Connection) -> None:
            of_link = "(id, incident_id, created_ns, expires_ns, by)"
            link = ("l-1", "brand", now_ns, now_ns + 10**12, wolf)
            file.execute(f"INSERT INTO links {of_link} VALUES (?, ?, ?, ?, ?)", link)
            of_guest = "(id, session, link_id, name, entered_ns)"
            guest = ("g-1", session, "l-1", "Meier", now_ns)
            file.execute(f"INSERT INTO guests {of_guest} VALUES (?, ?, ?, ?, ?)", guest)

        store.change_now(enter)
    async with service(tmp_path) as (_, http):
        guest, copied = Browser(http, {GUEST_COOKIE: cookie}), Browser(http, {GUEST_COOKIE: cookie})
        me = await guest.me()
        assert (me["kind"], me["name"], me["incident"]["id"]) == ("guest", "Meier", "brand")
        assert (me["login"], me["roles"], me["password"]) == ("", [], False)
        change = {"old": "x", "new": PASSWORD}
        assert (await guest.ask("PUT", "/api/v1/me/password", change)).code == "no_password"
        assert (await guest.ask("POST", "/api/v1/logout")).status == 204
        assert guest.cookies == {}
        assert (await copied.me())["kind"] == "nobody"


@pytest.mark.parametrize("grants", [["administer"], ["delete"], ["watch", "audit"], ["operate"], []])
async def test_no_token_is_given_more_than_its_kind_may_have(tmp_path: Path, grants: list[str]) -> None:
    cookies = make_session(tmp_path, make_account(tmp_path, "chef", Role.ADMINISTRATOR))
    async with service(tmp_path) as (_, http):
        wish = {"name": "ELS", "kind": "api", "grants": grants}
        assert (await Browser(http, cookies).ask("POST", "/api/v1/tokens", wish)).status == 400


async def test_what_another_process_takes_back_is_gone_here(tmp_path: Path) -> None:
    wolf = make_account(tmp_path, "wolf", Role.PILOT)
    async with service(tmp_path) as (_, http):
        token = make_invite(tmp_path, wolf)
        browser = Browser(http)
        while (await browser.ask("POST", "/api/v1/invited/look", {"token": token})).status != 200:
            pass  # until it is seen
        make_invite(tmp_path, wolf)
        while (await browser.ask("POST", "/api/v1/invited/look", {"token": token})).status != 409:
            pass
