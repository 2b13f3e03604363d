from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator

import pytest

from flow.errors import BusyError
from web.access.passwords import WAITING_MOST, WORST, Passwords, WeakPasswordError, check_password

RIGHT = "Grün wie der Kübelwagen"


@pytest.fixture
def passwords() -> Iterator[Passwords]:
    made = Passwords()
    yield made
    made.close()


async def test_the_right_one_is_right_however_the_keyboard_writes_it(passwords: Passwords) -> None:
    hashed = await passwords.hash(RIGHT)
    assert hashed.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert RIGHT not in hashed
    assert await passwords.is_right(hashed, RIGHT)
    assert await passwords.is_right(hashed, "Gru\u0308n wie der Ku\u0308belwagen")
    assert not await passwords.is_right(hashed, RIGHT.lower())
    assert hashed != await passwords.hash(RIGHT)  # salted


@pytest.mark.parametrize("password_hash", ["", "$argon2id$", "no hash at all"])
async def test_nobody_s_password_is_right(passwords: Passwords, password_hash: str) -> None:
    assert not await passwords.is_right(password_hash, "\0" * 32)


async def test_who_has_no_account_costs_as_much_as_who_has_one(
    passwords: Passwords, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The very same work: what argon2 is asked to do has the same parameters."""
    hashed, argon2 = await passwords.hash(RIGHT), passwords._argon2
    asked: list[str] = []

    class Seen:
        @staticmethod
        def verify(hashed: str, password: bytes) -> bool:
            asked.append(hashed.rpartition("$")[0].rpartition("$")[0])
            return argon2.verify(hashed, password)

    monkeypatch.setattr(passwords, "_argon2", Seen())
    await passwords.is_right(hashed, "falsch")
    await passwords.is_right("", "falsch")
    assert asked == ["$argon2id$v=19$m=19456,t=2,p=1"] * 2


async def test_one_at_a_time_and_few_wait(passwords: Passwords, monkeypatch: pytest.MonkeyPatch) -> None:
    held, at_once, most = threading.Event(), 0, 0

    def slow(password: str) -> str:
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        held.wait()
        at_once -= 1
        return password

    monkeypatch.setattr(passwords, "hash_now", slow)
    waiting = [asyncio.ensure_future(passwords.hash(str(n))) for n in range(WAITING_MOST)]
    await asyncio.sleep(0)
    with pytest.raises(BusyError):
        await passwords.hash("one too many")
    held.set()
    assert await asyncio.gather(*waiting) == [str(n) for n in range(WAITING_MOST)]
    assert most == 1
    assert await passwords.hash("later") == "later"


@pytest.mark.parametrize(
    "weak",
    ["neun Zei.", "aaaaaaaaaaaa", "PASSWORT123", "petrawolf99", "wolf-wolf-2026", "Wolf112wolf", "x" * 201],
)
def test_what_would_be_guessed_is_refused(weak: str) -> None:
    with pytest.raises(WeakPasswordError) as refused:
        check_password(weak, ("petra.wolf", "Petra Wolf"))
    assert refused.value.code == "password_weak"
    assert weak not in str(refused.value)


@pytest.mark.parametrize("good", ["zehn kleine", "wolfshunger im wald", "1029384756ab", "ÄÖÜäöüßéèê"])
def test_there_are_no_rules_of_digits_and_signs(good: str) -> None:
    check_password(good, ("wolf", "Petra Wolf"))


def test_the_worst_are_of_those_that_are_long_enough() -> None:
    assert all(len(each) >= 10 and each == each.casefold() for each in WORST)
