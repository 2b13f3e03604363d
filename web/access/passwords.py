"""Passwords: argon2id with OWASP's parameters, one at a time in a thread of its own.

A hash costs 20 ms of a core, on purpose. So that nobody can make the pictures wait by asking for many, at
most one is made at a time and few wait for it; and whoever may not try is refused before (throttle.py).
"""

from __future__ import annotations

import asyncio
import base64
import re
import unicodedata
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import argon2

from flow.errors import BusyError, MalformedError

LEAST_CHARACTERS = 10
MOST_CHARACTERS = 200
WAITING_MOST = 16

# OWASP Password Storage Cheat Sheet: Argon2id with 19 MiB, two passes, one lane.
_MEMORY_KIB, _PASSES, _LANES, _SALT_BYTES, _HASH_BYTES = 19 * 1024, 2, 1, 16, 32

_WORST = """
    0123456789 1234567890 9876543210 0987654321 12345678910 123456789a 1q2w3e4r5t 1qaz2wsx3edc 123qweasdzxc
    qwertzuiop qwertyuiop qwertz1234 qwertz12345 qwerty1234 qwerty12345 asdfghjkl1 abcdefghij abcdefghijk
    password12 password123 password1234 passw0rd123 passwort12 passwort123 passwort1234 kennwort123
    iloveyou12 iloveyou123 ichliebedich administrator administrator1 admin12345 admin123456 changeme123
    letmein123 welcome123 welcome1234 willkommen willkommen1 willkommen12 willkommen123 geheim1234
    feuerwehr1 feuerwehr11 feuerwehr12 feuerwehr112 feuerwehr123 feuerwehr1234 leitstelle leitstelle112
    lagebild12 lagebild112 lagebild123 einsatzleiter einsatzleitung brandmeister drehleiter florian112
"""
WORST = frozenset(_WORST.split())
"""Of those with ten characters and more, what people (and programs that guess) try first."""

T = TypeVar("T")


class WeakPasswordError(MalformedError):
    """A password that would be guessed; the message says why."""

    code = "password_weak"


class Passwords:
    """Makes and checks hashes. `close` lets go of the thread."""

    def __init__(self) -> None:
        self._argon2 = argon2.PasswordHasher(_PASSES, _MEMORY_KIB, _LANES, _HASH_BYTES, _SALT_BYTES)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="passwords")
        self._waiting = 0

    async def hash(self, password: str) -> str:
        """Raises BusyError where too many wait."""
        return await self._alone(lambda: self.hash_now(password))

    async def is_right(self, password_hash: str, password: str) -> bool:
        """Against "" (nobody's, or of an account without a password) it takes as long, and is False.

        Raises BusyError where too many wait.
        """
        return await self._alone(lambda: self._is_right(password_hash, password))

    def hash_now(self, password: str) -> str:
        """For the command line, which has no event loop."""
        return self._argon2.hash(_bytes(password))

    def close(self) -> None:
        self._thread.shutdown(cancel_futures=True)

    def _is_right(self, password_hash: str, password: str) -> bool:
        try:
            return self._argon2.verify(password_hash or _NOBODYS, _bytes(password)) and bool(password_hash)
        except (argon2.exceptions.VerificationError, argon2.exceptions.InvalidHashError):
            return False

    async def _alone(self, work: Callable[[], T]) -> T:
        if self._waiting >= WAITING_MOST:
            raise BusyError(f"{WAITING_MOST} passwords are being checked; try again in a moment")
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work)
        finally:
            self._waiting -= 1


def check_password(password: str, names: Iterable[str]) -> None:
    """Raise WeakPasswordError for what is short, the person's own name, or among the worst.

    No other rules: those that demand a digit and a sign make passwords worse (NIST SP 800-63B 3.1.1.2).
    """
    if len(password) > MOST_CHARACTERS:
        raise WeakPasswordError(f"a password has {MOST_CHARACTERS} characters at most")
    if len(password) < LEAST_CHARACTERS:
        raise WeakPasswordError(f"a password has {LEAST_CHARACTERS} characters at least; four words are good")
    plain = password.casefold()
    if plain in WORST or len(set(plain)) < 3:
        raise WeakPasswordError("this password is one of the first that anybody would try")
    if any(_is_made_of(plain, name.casefold()) for name in names):
        raise WeakPasswordError("this password is made of the account's own name")


def _is_made_of(password: str, name: str) -> bool:
    """Whether nothing but digits and signs remains without the name and its words."""
    words = sorted((w for w in (name, *re.split(r"[\W\d_]+", name)) if len(w) > 2), key=len, reverse=True)
    if not words:
        return False
    rest = re.sub("|".join(map(re.escape, words)), "", password)
    return not any(letter.isalpha() for letter in rest) and rest != password


def _bytes(password: str) -> bytes:
    """As different keyboards make of the same characters the same bytes (RFC 8265 4.2.2)."""
    return unicodedata.normalize("NFC", password).encode("utf-8", "surrogatepass")


def _unpadded(data: bytes) -> str:
    return base64.b64encode(data).rstrip(b"=").decode()


_NOBODYS = (
    f"$argon2id$v=19$m={_MEMORY_KIB},t={_PASSES},p={_LANES}"
    f"${_unpadded(bytes(_SALT_BYTES))}${_unpadded(bytes(_HASH_BYTES))}"
)
"""The hash of no password that anybody knows; it takes as long to check as another."""
