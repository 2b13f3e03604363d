"""Logins by a provider: the way there and back, with one that keeps to the rules."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from yarl import URL

from flow.clock import NS_PER_S
from flow.errors import RefusedError
from tests.unit.web.oidc_house import DAYS, browser, code_of, oidc_house
from web.access import Role
from web.access.audit import Action
from web.access.invites import invite_account
from web.oidc.attempt import COOKIE, GOOD_FOR_S, attempt_of, new_attempt, own_path
from web.routes.oidc import BACK, GO


async def test_whoever_the_provider_sends_is_logged_in_and_where_he_wanted_to_go(tmp_path: Path) -> None:
    async with oidc_house(tmp_path) as h:
        h.provider.claims |= {"name": "Erika Muster", "preferred_username": "Muster"}
        assert await h.log_in("/flights?day=1") == "/flights?day=1"
        assert await h.me() == "person Erika Muster"
        (account,) = h.store.book.accounts.values()
        assert (account.login, set(account.roles)) == ("muster", {Role.VIEWER})
        assert account.subject == f"{h.provider.issuer} 1001"
        assert account.password_hash == ""
        (session,) = h.store.book.sessions.values()
        assert session.expires_ns - session.created_ns == DAYS * 86_400 * NS_PER_S
        assert session.address == "127.0.0.1"


async def test_what_the_provider_is_asked(tmp_path: Path) -> None:
    async with oidc_house(tmp_path, scopes=("profile", "groups")) as h:
        to = urlsplit(await h.begin())
        asked = {name: values[0] for name, values in parse_qs(to.query).items()}
        assert f"{to.scheme}://{to.netloc}{to.path}" == f"{h.provider.issuer}/auth"
        assert asked["scope"] == "openid profile groups"
        assert asked["redirect_uri"] == f"{h.url}{BACK}"
        cookie = h.http.cookie_jar.filter_cookies(URL(h.url + GO))[COOKIE]
        attempt = attempt_of(h.store.book.house_key, cookie.value, h.clock.now_ns())
        assert attempt is not None
        assert (asked["state"], asked["nonce"]) == (attempt.state, attempt.nonce)
        digest = hashlib.sha256(attempt.verifier.encode()).digest()
        assert asked["code_challenge"] == base64.urlsafe_b64encode(digest).decode().rstrip("=")
        assert len({attempt.state, attempt.nonce, attempt.verifier, asked["code_challenge"]}) == 4
        assert attempt.verifier not in cookie.value


async def test_the_cookies_are_for_the_browser_alone(tmp_path: Path) -> None:
    async with oidc_house(tmp_path) as h:
        async with h.http.get(f"{h.url}{GO}", allow_redirects=False) as reply:
            said = reply.headers["Set-Cookie"]
            assert all(part in said for part in ("HttpOnly", "SameSite=Lax", f"Path={GO}", "Max-Age=600"))
            back = h.provider.log_in(reply.headers["Location"])
        async with h.http.get(f"{h.url}{BACK}", params=back, allow_redirects=False) as reply:
            session, attempt, _ = sorted(reply.headers.getall("Set-Cookie"), reverse=True)
            assert all(
                part in session for part in ("lagebild_session=", "HttpOnly", "SameSite=Lax", "Path=/;")
            )
            assert attempt.startswith(f'{COOKIE}=""')


async def test_the_secret_goes_as_basic_or_where_only_that_is_known_in_the_form(tmp_path: Path) -> None:
    async with oidc_house(tmp_path) as h:
        await h.log_in()
        expected = base64.b64encode(b"lagebild:ge%3Aheim%2F47").decode()
        assert h.provider.basics == [f"Basic {expected}"]
        assert "client_secret" not in h.provider.forms[0]
    posts = {"token_endpoint_auth_methods_supported": ["client_secret_post"]}
    async with oidc_house(tmp_path) as h:
        h.provider.discovery = posts
        await h.log_in()
        assert h.provider.basics == [""]
        assert h.provider.forms[0]["client_secret"] == "ge:heim/47"


async def test_a_client_without_a_secret_says_who_it_is(tmp_path: Path) -> None:
    async with oidc_house(tmp_path, client_secret="") as h:
        assert await h.log_in() == "/"
        assert (h.provider.basics, h.provider.forms[0]["client_id"]) == ([""], "lagebild")


async def test_the_provider_decides_on_roles_and_name_at_each_login(tmp_path: Path) -> None:
    async with oidc_house(tmp_path) as h:
        await h.log_in()
        (before,) = h.store.book.accounts.values()
        h.provider.claims |= {"roles": ["it", "fw-drohne", "x"], "name": "Neuer Name"}
        await h.log_in()
        (after,) = h.store.book.accounts.values()
        assert (after.id, after.name) == (before.id, "Neuer Name")
        assert after.roles == {Role.PILOT, Role.ADMINISTRATOR}
        assert len(h.store.book.sessions) == 1  # this device's, anew


async def test_without_a_role_here_nobody_comes_in(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with oidc_house(tmp_path) as h:
        h.provider.claims |= {"roles": ["buchhaltung", "rat\nhaus"], "name": "Erika Muster"}
        assert code_of(await h.log_in("/flights")) == "oidc_no_role"
        assert (await h.me(), h.store.book.accounts) == ("nobody", {})
        assert "roles is buchhaltung, rat haus" in caplog.text
        assert "Muster" not in caplog.text


async def test_whoever_has_no_role_any_more_is_logged_out_everywhere(tmp_path: Path) -> None:
    async with oidc_house(tmp_path) as h:
        await h.log_in()
        assert await h.me() == "person 1001"
        h.provider.claims["roles"] = []
        async with browser() as other:
            h.http, first = other, h.http
            assert code_of(await h.log_in()) == "oidc_no_role"
            h.http = first
        assert await h.me() == "nobody"
        (account,) = h.store.book.accounts.values()
        assert account.roles == frozenset()


async def test_whoever_is_locked_here_stays_out(tmp_path: Path) -> None:
    async with oidc_house(tmp_path) as h:
        await h.log_in()
        await h.store.change(lambda file: file.execute("UPDATE accounts SET disabled = 1"))
        assert code_of(await h.log_in()) == "oidc_disabled"
        assert len(h.store.book.sessions) == 1


async def test_the_provider_is_asked_again_when_a_session_is_over_however_much_it_was_used(
    tmp_path: Path,
) -> None:
    async with oidc_house(tmp_path) as h:
        await h.log_in()
        (session,) = h.store.book.sessions.values()
        h.clock.advance(round((DAYS - 0.1) * 86_400) * NS_PER_S)
        caller = h.store.book.person(session.id, h.clock.now_ns())
        assert caller is not None
        assert not await h.logins.prolong(caller)


async def test_an_account_of_the_provider_gets_no_password_here(tmp_path: Path) -> None:
    async with oidc_house(tmp_path) as h:
        await h.log_in()
        (account,) = h.store.book.accounts.values()
        with pytest.raises(RefusedError, match="OpenID Connect"):
            await h.store.change(lambda file: invite_account(file, account.id, h.clock.now_ns()))


async def test_a_local_account_of_the_same_name_is_another_one(tmp_path: Path) -> None:
    async with oidc_house(tmp_path) as h:
        local = "INSERT INTO accounts (id, login, name, roles, created_ns) VALUES ('l', 'chef', 'C', '', 1)"
        await h.store.change(lambda file: file.execute(local))
        h.provider.claims["preferred_username"] = "Chef"
        assert await h.log_in() == "/"
        logins = {each.id: each.login for each in h.store.book.accounts.values()}
        assert logins.pop("l") == "chef"
        ((account_id, login),) = logins.items()
        assert login.startswith("chef~")
        await h.log_in()
        assert h.store.book.accounts[account_id].login == login


async def test_the_audit_log_hears_of_it(tmp_path: Path) -> None:
    async with oidc_house(tmp_path) as h:
        await h.log_in()
        (account,) = h.store.book.accounts.values()
        h.provider.claims["roles"] = []
        await h.log_in()
        came, failed = h.log.entries
        assert (came.action, came.caller.id, came.address) == (Action.LOGGED_IN, account.id, "127.0.0.1")
        assert (failed.action, failed.caller.is_known) == (Action.LOGIN_FAILED, False)
        assert failed.detail == {"how": "oidc", "why": "oidc_no_role"}


async def test_roles_that_only_the_user_info_tells(tmp_path: Path) -> None:
    async with oidc_house(tmp_path, roles_claim="groups") as h:
        h.provider.about = {"sub": "1001", "groups": ["leitstelle"], "name": "Aus der Auskunft", "iss": "x"}
        assert await h.log_in() == "/"
        (account,) = h.store.book.accounts.values()
        assert (set(account.roles), account.name) == ({Role.DISPATCHER}, "Aus der Auskunft")
        h.provider.about["sub"] = "1002"
        assert code_of(await h.log_in()) == "oidc_token"


async def test_with_the_roles_in_the_token_the_user_info_is_not_asked(tmp_path: Path) -> None:
    async with oidc_house(tmp_path) as h:
        await h.log_in()
        assert h.provider.asked["/me"] == 0


@pytest.mark.parametrize(
    ("asked", "taken"),
    [
        ("/", "/"),
        ("/flights?day=1#x", "/flights?day=1#x"),
        ("", "/"),
        ("flights", "/"),
        ("//evil.example/", "/"),
        ("/\\evil.example", "/"),
        ("\\\\evil.example", "/"),
        ("/\t/evil.example", "/"),
        ("/\n/evil.example", "/"),
        ("/a b", "/"),
        ("/ü", "/"),
        ("https://evil.example/", "/"),
        ("javascript:alert(1)", "/"),
        ("/" + "x" * 600, "/"),
    ],
)
def test_the_way_goes_on_to_paths_of_ours_only(asked: str, taken: str) -> None:
    assert own_path(asked) == taken


async def test_an_error_keeps_where_the_person_wanted_to_go(tmp_path: Path) -> None:
    async with oidc_house(tmp_path) as h:
        h.provider.claims["roles"] = []
        assert await h.log_in("/flights") == "/login?error=oidc_no_role&next=%2Fflights"
        assert await h.log_in("//evil.example") == "/login?error=oidc_no_role"


def test_an_attempt_is_good_for_ten_minutes_and_signed() -> None:
    key = b"k" * 32
    attempt = new_attempt(key, "/x", 0)
    cookie = attempt.cookie()
    assert attempt_of(key, cookie, GOOD_FOR_S * NS_PER_S - 1) == attempt
    assert attempt_of(key, cookie, GOOD_FOR_S * NS_PER_S) is None
    assert attempt_of(b"other" * 8, cookie, 0) is None
    assert attempt_of(b"", cookie, 0) is None
    for broken in (
        "",
        ".",
        "a.b",
        "ä.ö",
        cookie[:-2],
        "A" + cookie[1:],
        cookie.replace(".", ""),
    ):
        assert attempt_of(key, broken, 0) is None


async def test_only_this_browser_can_end_what_it_began(tmp_path: Path) -> None:
    async with oidc_house(tmp_path) as h, browser() as victim:
        attackers = h.provider.log_in(await h.begin())
        h.http = victim
        assert code_of(await h.back(attackers)) == "oidc_state"  # login CSRF: no cookie at all
        await h.begin()
        assert code_of(await h.back(attackers)) == "oidc_state"  # and with a cookie of his own login
        assert await h.me() == "nobody"
        assert h.provider.asked["/token"] == 0


async def test_an_attempt_that_took_too_long(tmp_path: Path) -> None:
    async with oidc_house(tmp_path) as h:
        back = h.provider.log_in(await h.begin())
        h.clock.advance((GOOD_FOR_S + 1) * NS_PER_S)
        assert code_of(await h.back(back)) == "oidc_state"


async def test_an_end_counts_once(tmp_path: Path) -> None:
    async with oidc_house(tmp_path) as h:
        back = h.provider.log_in(await h.begin())
        assert await h.back(back) == "/"
        assert code_of(await h.back(back)) == "oidc_state"
        assert len(h.store.book.sessions) == 1


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ({"error": "access_denied"}, "oidc_denied"),
        ({"error": "invalid_scope"}, "oidc_refused"),
        ({"error": "<script>"}, "oidc_refused"),
        ({"code": ""}, "oidc_refused"),
        ({"code": "x" * 5000}, "oidc_refused"),
        ({"code": "never given out"}, "oidc_refused"),
        ({"iss": "https://evil.example"}, "oidc_token"),
        ({"iss": None}, "oidc_token"),
    ],
)
async def test_what_the_provider_may_answer_instead(
    tmp_path: Path, answer: dict[str, str | None], code: str
) -> None:
    async with oidc_house(tmp_path) as h:
        back = h.provider.log_in(await h.begin()) | answer
        assert code_of(await h.back({k: v for k, v in back.items() if v is not None})) == code
        assert await h.me() == "nobody"
