"""Accounts, sessions, invites and tokens in the file, as edits of the store."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from flow.clock import NS_PER_S
from flow.errors import MalformedError, NotFoundError, RefusedError
from tests.fakes.clock import START_NS, FakeClock
from web.access.accounts import (
    AccountChange,
    LastAdministratorError,
    TakenError,
    change_account,
    checked_login,
    checked_name,
    new_account,
    remove_account,
    set_password,
)
from web.access.book import InviteKind, Session
from web.access.invites import (
    FIRST_HOURS,
    InviteGoneError,
    accept_first,
    accept_password,
    invite_account,
    invite_first,
)
from web.access.permissions import Permission, Role
from web.access.recognise import digest_of, new_cookie, session_of
from web.access.sessions import (
    NS_PER_DAY,
    SESSIONS_MOST,
    begin_session,
    device_cookie_name,
    end_session,
    is_known_device,
    new_device,
    prolong_session,
    remove_expired,
)
from web.access.store import AccessStore
from web.access.tokens import TokenKind, TokenWish, checked_grants, kind_of, make_token, withdraw_token

HASH = "$argon2id$…"
ADMINISTRATOR, PILOT = frozenset({Role.ADMINISTRATOR}), frozenset({Role.PILOT})
HOUR_NS = 3600 * NS_PER_S


@pytest.fixture
def store(tmp_path: Path) -> Iterator[AccessStore]:
    store = AccessStore(tmp_path, FakeClock())
    store.open()
    yield store
    store.close()


def account(store: AccessStore, login: str, role: Role = Role.PILOT, password_hash: str = HASH) -> str:
    return store.change_now(
        lambda file: new_account(file, login, login.title(), [role], START_NS, password_hash=password_hash)
    )


def log_in(store: AccessStore, account_id: str, created_ns: int = START_NS, replaces: str = "") -> str:
    _, session_id = new_cookie(store.book.house_key)
    session = Session(session_id, account_id, created_ns, created_ns + HOUR_NS, "192.0.2.7", "x" * 999)
    store.change_now(lambda file: begin_session(file, session, replaces))
    return session_id


def test_an_account_is_known_by_its_login(store: AccessStore) -> None:
    wolf = account(store, "wolf", Role.ADMINISTRATOR)
    kept = store.book.account_named("WOLF")
    assert kept is not None
    assert (kept.id, kept.name, kept.roles, kept.disabled) == (wolf, "Wolf", ADMINISTRATOR, False)
    assert HASH not in repr(store.book)
    with pytest.raises(TakenError):
        account(store, "wolf")
    otto = account(store, "otto")
    with pytest.raises(TakenError):
        store.change_now(lambda file: change_account(file, otto, AccountChange(login="wolf")))
    store.change_now(lambda file: change_account(file, otto, AccountChange("karl", "Karl", ADMINISTRATOR)))
    assert store.book.account_named("karl") is not None
    assert store.book.account_named("otto") is None


@pytest.mark.parametrize("login", ["", "x", "-wolf", "wo lf", "wölf", "wolf\n2", "w" * 65])
def test_logins_that_nobody_could_type_twice_are_refused(login: str) -> None:
    with pytest.raises(MalformedError):
        checked_login(login)


def test_logins_and_names_are_kept_tidy() -> None:
    assert checked_login(" Petra.Wolf@Stadt-KL.example ") == "petra.wolf@stadt-kl.example"
    assert checked_name("  Petra \t Wolf ") == "Petra Wolf"
    for name in ("", " ", "x" * 81, "Petra\u202eWolf", "a\x1b[31m"):
        with pytest.raises(MalformedError):
            checked_name(name)


@pytest.mark.parametrize(
    "change",
    [AccountChange(disabled=True), AccountChange(roles=PILOT), None],
    ids=["disabled", "made less", "removed"],
)
def test_the_last_administrator_stays(store: AccessStore, change: AccountChange | None) -> None:
    def less(account_id: str) -> None:
        def edit(file: sqlite3.Connection) -> None:
            if change is None:
                remove_account(file, account_id)
            else:
                change_account(file, account_id, change)

        store.change_now(edit)

    wolf = account(store, "wolf", Role.ADMINISTRATOR)
    before = store.book
    with pytest.raises(LastAdministratorError):
        less(wolf)
    assert store.book == before
    invited = account(store, "otto", Role.ADMINISTRATOR, password_hash="")
    with pytest.raises(LastAdministratorError):  # otto cannot log in yet
        less(wolf)
    less(invited)
    other = account(store, "karl", Role.ADMINISTRATOR)
    less(wolf)
    assert store.book.has_administrator
    with pytest.raises(LastAdministratorError):
        less(other)


def test_two_administrators_cannot_remove_each_other_at_once(store: AccessStore, tmp_path: Path) -> None:
    """The command line does it in another process, which has read the file before."""
    wolf, otto = (account(store, login, Role.ADMINISTRATOR) for login in ("wolf", "otto"))
    beside = AccessStore(tmp_path, FakeClock())
    beside.open()
    store.change_now(lambda file: remove_account(file, wolf))
    assert wolf in beside.book.accounts
    with pytest.raises(LastAdministratorError):
        beside.change_now(lambda file: remove_account(file, otto))
    beside.close()


def test_who_is_disabled_or_removed_is_logged_out_everywhere(store: AccessStore) -> None:
    account(store, "chef", Role.ADMINISTRATOR)
    ways: list[Callable[..., None]] = [
        partial(change_account, change=AccountChange(disabled=True)),
        remove_account,
    ]
    for number, how in enumerate(ways):
        wolf = account(store, f"wolf{number}")
        token, _ = store.change_now(partial(invite_account, account_id=wolf, now_ns=START_NS))
        sessions = [log_in(store, wolf), log_in(store, wolf)]
        assert all(store.book.person(each, START_NS) for each in sessions)
        store.change_now(partial(how, account_id=wolf))
        assert not store.book.sessions
        assert digest_of(token) not in store.book.invites
        assert not any(store.book.person(each, START_NS) for each in sessions)


def test_a_new_password_ends_all_sessions_but_the_one_that_set_it(store: AccessStore) -> None:
    wolf, otto = account(store, "wolf"), account(store, "otto")
    kept, _, others = log_in(store, wolf), log_in(store, wolf), log_in(store, otto)
    store.change_now(lambda file: set_password(file, wolf, "another", kept))
    assert set(store.book.sessions) == {kept, others}
    store.change_now(lambda file: set_password(file, wolf, "a third"))
    assert set(store.book.sessions) == {others}
    with pytest.raises(NotFoundError):
        store.change_now(lambda file: set_password(file, "nobody", HASH))


def test_sessions_are_bounded_and_end(store: AccessStore) -> None:
    wolf, otto = account(store, "wolf"), account(store, "otto")
    others = log_in(store, otto)
    first = log_in(store, wolf, START_NS)
    many = [log_in(store, wolf, START_NS + number) for number in range(1, SESSIONS_MOST + 1)]
    assert first not in store.book.sessions
    assert set(many) | {others} == set(store.book.sessions)
    assert len(store.book.sessions[many[0]].agent) == 200
    again = log_in(store, wolf, START_NS + 999, replaces=many[-1])
    assert many[-1] not in store.book.sessions
    end = START_NS + HOUR_NS
    store.change_now(lambda file: prolong_session(file, again, end + HOUR_NS))
    assert store.book.person(again, end + 1) is not None
    assert store.book.person(others, end) is None
    assert store.change_now(lambda file: remove_expired(file, end + 500)) > 0
    assert set(store.book.sessions) == {again}
    store.change_now(lambda file: end_session(file, again))
    assert not store.book.sessions


def test_a_device_is_known_for_the_account_that_has_logged_in_on_it(store: AccessStore) -> None:
    wolf = account(store, "wolf")
    key = store.book.house_key
    cookie = new_device(key, wolf)
    assert is_known_device(key, wolf, cookie)
    assert not is_known_device(key, "otto", cookie)
    assert not is_known_device(bytes(32), wolf, cookie)
    assert not is_known_device(b"", wolf, new_device(b"", wolf))
    for forged in ("", ".", cookie[1:], cookie[:-1], cookie.replace(".", "..")):
        assert not is_known_device(key, wolf, forged)
    assert session_of(key, cookie) is None  # and opens nothing
    assert device_cookie_name(wolf) != device_cookie_name("otto")


def test_the_first_administrator_s_link_is_good_once_and_until_there_is_one(store: AccessStore) -> None:
    old = store.change_now(lambda file: invite_first(file, START_NS))
    new = store.change_now(lambda file: invite_first(file, START_NS))
    assert old is not None
    assert new is not None
    assert new not in repr(store.book)

    def accept(token: str, now_ns: int = START_NS, login: str = "wolf") -> str:
        return store.change_now(
            lambda file: accept_first(file, token, login, "Wolf", password_hash=HASH, now_ns=now_ns)
        )

    for token, now_ns in ((old, START_NS), (new, START_NS + round(FIRST_HOURS * HOUR_NS)), ("", START_NS)):
        with pytest.raises(InviteGoneError):
            accept(token, now_ns)
    wolf = accept(new)
    assert store.book.accounts[wolf].roles == ADMINISTRATOR
    with pytest.raises(InviteGoneError):
        accept(new, login="otto")
    assert store.change_now(lambda file: invite_first(file, START_NS)) is None


def test_the_first_link_is_void_once_there_is_an_administrator_otherwise(store: AccessStore) -> None:
    token = store.change_now(lambda file: invite_first(file, START_NS))
    assert token is not None
    account(store, "wolf", Role.ADMINISTRATOR)
    with pytest.raises(InviteGoneError):
        store.change_now(
            lambda file: accept_first(file, token, "otto", "Otto", password_hash=HASH, now_ns=START_NS)
        )
    assert store.book.account_named("otto") is None


def test_an_account_s_link_sets_its_password_once(store: AccessStore) -> None:
    wolf = account(store, "wolf", password_hash="")
    old, _ = store.change_now(lambda file: invite_account(file, wolf, START_NS))
    token, expires_ns = store.change_now(lambda file: invite_account(file, wolf, START_NS))
    assert [each.kind for each in store.book.invites.values()] == [InviteKind.PASSWORD]
    log_in(store, wolf)
    for gone, now_ns in ((old, START_NS), (token, expires_ns), (token[:-1], START_NS)):
        with pytest.raises(InviteGoneError):
            store.change_now(partial(accept_password, token=gone, password_hash=HASH, now_ns=now_ns))
    assert store.change_now(lambda file: accept_password(file, token, HASH, START_NS)) == wolf
    assert store.book.accounts[wolf].password_hash == HASH
    assert not store.book.sessions
    with pytest.raises(InviteGoneError):
        store.change_now(lambda file: accept_password(file, token, HASH, START_NS))


def test_who_is_disabled_gets_no_link(store: AccessStore) -> None:
    wolf = account(store, "wolf")
    store.change_now(lambda file: change_account(file, wolf, AccountChange(disabled=True)))
    with pytest.raises(RefusedError, match="enable"):
        store.change_now(lambda file: invite_account(file, wolf, START_NS))


def test_a_link_of_one_kind_is_none_of_the_other(store: AccessStore) -> None:
    wolf = account(store, "wolf")
    token, _ = store.change_now(lambda file: invite_account(file, wolf, START_NS))
    with pytest.raises(InviteGoneError):
        store.change_now(
            lambda file: accept_first(file, token, "otto", "Otto", password_hash=HASH, now_ns=START_NS)
        )


def test_a_token_opens_what_it_was_given_until_it_is_withdrawn(store: AccessStore) -> None:
    grants = checked_grants(TokenKind.API, [Permission.WATCH])
    wish = TokenWish("ELS", grants, "wolf", START_NS + HOUR_NS, "brand")
    token_id, token = store.change_now(lambda file: make_token(file, wish, START_NS))
    assert token.startswith("lbt_")
    assert token not in repr(store.book)
    caller = store.book.machine(digest_of(token), START_NS)
    assert caller is not None
    assert caller.permissions == {Permission.PUBLIC, Permission.PUBLISH, Permission.WATCH}
    assert (caller.id, caller.incident_id) == (token_id, "brand")
    assert store.book.machine(digest_of(token), START_NS + HOUR_NS) is None
    assert store.change_now(lambda file: withdraw_token(file, token_id)) == "ELS"
    assert store.book.machine(digest_of(token), START_NS) is None
    with pytest.raises(NotFoundError):
        store.change_now(lambda file: withdraw_token(file, token_id))


def test_a_token_that_has_long_expired_is_gone_for_good(store: AccessStore) -> None:
    for days in (1, 100, None):
        expires_ns = None if days is None else START_NS + days * NS_PER_DAY
        wish = TokenWish(f"for {days}", checked_grants(TokenKind.METRICS, None), "wolf", expires_ns)
        store.change_now(partial(make_token, wish=wish, now_ns=START_NS))
    assert store.change_now(lambda file: remove_expired(file, START_NS + 2 * NS_PER_DAY)) == 0  # still shown
    assert store.change_now(lambda file: remove_expired(file, START_NS + 9 * NS_PER_DAY)) == 1
    assert sorted(each.name for each in store.book.tokens.values()) == ["for 100", "for None"]


def test_no_token_may_do_what_people_do(store: AccessStore) -> None:
    for asked in ([Permission.ADMINISTER], [Permission.DELETE], [Permission.AUDIT], []):
        with pytest.raises(MalformedError):
            checked_grants(TokenKind.API, asked)
    assert checked_grants(TokenKind.METRICS, None) == {Permission.OPERATE}
    assert kind_of(checked_grants(TokenKind.API, None)) is TokenKind.API
    over = TokenWish("ELS", checked_grants(TokenKind.API, None), "wolf", START_NS)
    with pytest.raises(MalformedError, match="expired"):
        store.change_now(lambda file: make_token(file, over, START_NS))
