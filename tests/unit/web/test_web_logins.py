"""Who is let in, who waits, and what the audit log hears of it. The clock stands until a test moves it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from flow.clock import NS_PER_S
from flow.errors import BusyError
from tests.fakes.clock import START_NS, FakeClock
from web.access import CallerKind, Role
from web.access.accounts import AccountChange, change_account, new_account, set_password
from web.access.attempts import OF_ACCOUNT, OF_ADDRESS, STRANGERS_AT_ONCE
from web.access.audit import Action, Entry
from web.access.invites import invite_account
from web.access.logins import (
    Device,
    LoggedIn,
    Logins,
    LoginWrongError,
    PasswordWrongError,
)
from web.access.passwords import Passwords
from web.access.reach import NoIncidents
from web.access.recognise import Gatekeeper, session_of
from web.access.store import AccessStore
from web.access.throttle import ThrottledError

RIGHT, DAYS = "vier kurze Worte reichen", 30.0
HOME, ATTACKER = Device("192.0.2.7", "Firefox"), Device("198.51.100.66")


class Kept:
    """An Audit that a test reads."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []

    def record(self, entry: Entry) -> None:
        self.entries.append(entry)

    def told(self) -> list[tuple[str, str, str]]:
        return [(e.action, e.named.get("login", ""), str(e.detail.get("why", ""))) for e in self.entries]


class Counting(Passwords):
    """How many hashes were made."""

    checked = 0

    async def is_right(self, password_hash: str, password: str) -> bool:
        self.checked += 1
        return await super().is_right(password_hash, password)


class House:
    """Logins over a file of their own, with one account: wolf."""

    def __init__(self, data_dir: Path) -> None:
        self.clock, self.audit, self.passwords = FakeClock(), Kept(), Counting()
        self.store = AccessStore(data_dir, self.clock)
        self.store.open()
        self.guard = Gatekeeper(self.store, NoIncidents(), self.audit, self.clock, trusts_this_machine=False)
        self.logins = Logins(self.store, self.guard, self.passwords, self.clock, DAYS)
        hashed = self.passwords.hash_now(RIGHT)
        self.wolf = self.store.change_now(
            lambda file: new_account(
                file, "wolf", "Petra Wolf", [Role.ADMINISTRATOR], START_NS, password_hash=hashed
            )
        )

    async def log_in(
        self, device: Device = HOME, password: str = RIGHT, login: str = "wolf"
    ) -> LoggedIn | None:
        """None: login or password was wrong."""
        try:
            return await self.logins.log_in(login, password, device)
        except LoginWrongError:
            return None

    async def fail_until_refused(self, device: Device) -> tuple[int, int]:
        """(after how many attempts, how long to wait)."""
        for attempt in range(100):
            try:
                assert await self.log_in(device, "falsch") is None
            except ThrottledError as error:
                return attempt, error.retry_after_s
        raise AssertionError("nobody was ever refused")


@asynccontextmanager
async def house(data_dir: Path) -> AsyncIterator[House]:
    made = House(data_dir)
    try:
        yield made
    finally:
        made.passwords.close()
        made.store.close()


def known(who: LoggedIn, address: str = "203.0.113.9") -> Device:
    """The device on which somebody has logged in, wherever it is now."""
    return Device(address, cookies={who.device_name: who.device})


async def test_the_right_password_lets_in_and_is_told(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        who = await h.log_in(login="  WOLF ")
        assert who is not None
        assert (who.caller.kind, who.caller.id, who.caller.name) == (CallerKind.PERSON, h.wolf, "Petra Wolf")
        session = h.store.book.sessions[session_of(h.store.book.house_key, who.cookie) or ""]
        assert (session.address, session.agent) == ("192.0.2.7", "Firefox")
        assert who.cookie not in repr(who)
        assert who.cookie not in repr(h.store.book)
        (entry,) = h.audit.entries
        assert (entry.action, entry.caller.id, entry.address) == (Action.LOGGED_IN, h.wolf, "192.0.2.7")
        assert entry.named == {"account": h.wolf, "login": "wolf"}


async def test_what_was_typed_is_told_only_where_it_is_a_login(tmp_path: Path) -> None:
    """People type their password into the field above."""
    async with house(tmp_path) as h:
        assert await h.log_in(login=RIGHT, password="") is None
        assert await h.log_in(password="geheim, aber falsch") is None
        assert [e.named for e in h.audit.entries] == [{}, {"account": h.wolf, "login": "wolf"}]
        assert RIGHT not in repr(h.audit.entries)
        assert "geheim" not in repr(h.audit.entries)
        assert all(entry.caller.kind is CallerKind.NOBODY for entry in h.audit.entries)
        assert RIGHT not in repr(vars(h.logins._attempts._accounts))


async def test_nobody_learns_who_has_an_account(tmp_path: Path) -> None:
    """Disabled, without a password, unknown: the same answer, after the same hash and the same waits."""
    async with house(tmp_path) as h:
        await h.store.change(lambda f: new_account(f, "neu", "Neu", [Role.PILOT], START_NS))
        gone = await h.store.change(lambda f: new_account(f, "weg", "Weg", [Role.PILOT], START_NS))
        hashed = await h.passwords.hash(RIGHT)
        await h.store.change(lambda f: set_password(f, gone, hashed))
        await h.store.change(lambda f: change_account(f, gone, AccountChange(disabled=True)))
        for number, login in enumerate(("neu", "weg", "niemand", "wolf")):
            device, before = Device(f"192.0.2.{number}"), h.passwords.checked
            for _ in range(OF_ACCOUNT.free):
                with pytest.raises(LoginWrongError, match=r"^login or password is wrong$"):
                    await h.logins.log_in(login, RIGHT if login != "wolf" else "falsch", device)
            assert h.passwords.checked == before + OF_ACCOUNT.free
            with pytest.raises(ThrottledError, match="try again in 1 s"):
                await h.logins.log_in(login, RIGHT, device)


async def test_refused_before_any_hash_and_one_line_for_many(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        assert await h.fail_until_refused(ATTACKER) == (OF_ACCOUNT.free, 1)
        for _ in range(10_000):
            with pytest.raises(ThrottledError):
                await h.log_in(ATTACKER, "falsch")
        assert h.passwords.checked == OF_ACCOUNT.free
        assert h.audit.told() == [
            *[("login_failed", "wolf", "wrong")] * OF_ACCOUNT.free,
            ("login_failed", "wolf", "throttled"),
        ]
        h.clock.advance(NS_PER_S)
        assert await h.log_in(ATTACKER, "falsch") is None
        assert h.audit.entries[-1].detail["refused_before"] == 10_001


async def test_many_at_the_same_moment_are_no_way_around(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        tries = (h.log_in(ATTACKER, f"falsch {number}") for number in range(200))
        results = await asyncio.gather(*tries, return_exceptions=True)
        assert h.passwords.checked == OF_ACCOUNT.free
        assert sum(isinstance(each, ThrottledError) for each in results) == 200 - OF_ACCOUNT.free


async def test_who_tries_many_logins_is_refused_by_address(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        refused = 0
        for number in range(1000):
            try:
                await h.log_in(Device(f"2001:db8::{number:x}"), "falsch", f"login{number}")
            except ThrottledError:
                refused += 1
        assert (h.passwords.checked, refused) == (OF_ADDRESS.free, 1000 - OF_ADDRESS.free)
        assert await h.log_in(HOME) is not None  # from another address
        assert await h.log_in(Device("::ffff:192.0.2.8")) is not None  # of IPv4, not a neighbour of those


async def test_who_has_a_whole_network_costs_no_more_than_some(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        assert await h.log_in(HOME) is not None  # before
        h.clock.advance(60 * NS_PER_S)
        checked, refused = h.passwords.checked, 0
        for number in range(1000):
            try:
                await h.log_in(Device(f"198.51.{number // 250}.{number % 250}"), "falsch", f"login{number}")
            except ThrottledError:
                refused += 1
        assert (h.passwords.checked - checked, refused) == (STRANGERS_AT_ONCE, 1000 - STRANGERS_AT_ONCE)
        assert await h.log_in(Device(HOME.address)) is not None  # another device, where somebody is logged in
        with pytest.raises(ThrottledError):
            await h.log_in(Device("203.0.113.1"))


async def test_a_device_that_was_in_before_is_not_locked_out(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        who = await h.log_in(HOME)
        assert who is not None
        for number in range(40):  # from everywhere, also from the station's own address
            for device in (Device(f"198.51.100.{number}"), HOME):
                try:
                    await h.log_in(device, "falsch")
                except ThrottledError:
                    continue
        with pytest.raises(ThrottledError):
            await h.log_in(Device("203.0.113.1"))
        assert await h.log_in(known(who)) is not None
        stolen = Device("198.51.100.66", cookies={who.device_name: "x" + who.device[1:]})
        with pytest.raises(ThrottledError):  # a forged one helps nobody
            await h.log_in(stolen)


async def test_a_known_device_waits_for_its_own_mistakes_alone(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        who = await h.log_in(HOME)
        assert who is not None
        attempts, wait_s = await h.fail_until_refused(known(who))
        assert (attempts, wait_s) == (10, 1)
        other = await h.log_in(HOME)
        assert other is not None
        assert await h.log_in(known(other)) is not None
        h.clock.advance(NS_PER_S)
        assert await h.log_in(known(who)) is not None


async def test_a_password_that_changes_meanwhile_lets_nobody_in(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        logging_in = asyncio.ensure_future(h.logins.log_in("wolf", RIGHT, HOME))
        await asyncio.sleep(0)  # its hash is being made
        await h.store.change(lambda file: set_password(file, h.wolf, "another"))
        with pytest.raises(LoginWrongError):
            await logging_in
        assert not h.store.book.sessions


async def test_who_could_not_be_looked_at_has_not_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def busy(*_: str) -> bool:
        raise BusyError("many")

    async with house(tmp_path) as h:
        with monkeypatch.context() as patch:
            patch.setattr(h.passwords, "is_right", busy)
            for _ in range(50):
                with pytest.raises(BusyError):
                    await h.log_in()
        assert await h.log_in() is not None


async def test_a_login_on_the_same_device_ends_the_one_before(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        first = await h.log_in()
        assert first is not None
        second = await h.log_in(Device("192.0.2.7", session_id=first.caller.session_id))
        assert second is not None
        assert set(h.store.book.sessions) == {second.caller.session_id}


async def test_a_session_that_is_used_goes_on_and_ends_when_it_is_not(tmp_path: Path) -> None:
    day_ns = 86_400 * NS_PER_S
    async with house(tmp_path) as h:
        who = await h.log_in()
        assert who is not None
        h.clock.advance(10 * day_ns)
        assert not await h.logins.prolong(who.caller)
        h.clock.advance(10 * day_ns)
        assert await h.logins.prolong(who.caller)
        h.clock.advance(29 * day_ns)
        assert h.store.book.person(who.caller.session_id, h.clock.now_ns()) is not None
        h.clock.advance(day_ns)
        assert h.store.book.person(who.caller.session_id, h.clock.now_ns()) is None
        sweeping = asyncio.ensure_future(h.logins.run())
        async with asyncio.timeout(5):
            while h.store.book.sessions:
                await asyncio.sleep(0)
        sweeping.cancel()


async def test_a_link_lets_in_whom_others_have_locked_out(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        for number in range(30):
            try:
                await h.log_in(Device(f"198.51.100.{number}"), "falsch")
            except ThrottledError:
                break
        token, _ = await h.store.change(lambda file: invite_account(file, h.wolf, START_NS))
        who = await h.logins.accept(token, "ein anderes, neues", "", "", Device("203.0.113.1"))
        assert who.caller.id == h.wolf
        assert await h.log_in(Device("203.0.113.2"), "ein anderes, neues") is not None


async def test_changing_a_password_is_throttled_too(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        who = await h.log_in()
        assert who is not None
        for _ in range(10):
            with pytest.raises(PasswordWrongError):
                await h.logins.change_password(who.caller, "falsch", "ein anderes, neues", HOME)
        with pytest.raises(ThrottledError):
            await h.logins.change_password(who.caller, RIGHT, "ein anderes, neues", HOME)
        h.clock.advance(NS_PER_S)
        await h.logins.change_password(who.caller, RIGHT, "ein anderes, neues", HOME)
        assert set(h.store.book.sessions) == {who.caller.session_id}
