"""access.sqlite in `data_dir`: who may come in. Read whole into memory (book.py), changed by one thread.

A running service and the command line beside it share the file: what one changes the other hears of within
LOOK_EVERY_S, so that what is taken back at the command line ends as fast as on the page. The event loop never
waits for the disk.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import secrets
import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from flow.clock import NS_PER_S, Clock
from flow.errors import ConfigError, UnavailableError

from .book import Account, Book, Guest, Invite, InviteKind, Link, Session, Token
from .permissions import Permission, Role

log = logging.getLogger("lagebild.web")

FILE = "access.sqlite"
LOOK_EVERY_S = 0.25
HOUSE_KEY_BYTES = 32
_BUSY_S = 5.0

T = TypeVar("T")
Edit = Callable[[sqlite3.Connection], T]

MIGRATIONS: tuple[str, ...] = (
    """
    CREATE TABLE house (key BLOB NOT NULL);
    CREATE TABLE accounts (
        id TEXT PRIMARY KEY, login TEXT NOT NULL UNIQUE, name TEXT NOT NULL, roles TEXT NOT NULL,
        created_ns INTEGER NOT NULL, password_hash TEXT NOT NULL DEFAULT '', subject TEXT NOT NULL DEFAULT '',
        disabled INTEGER NOT NULL DEFAULT 0
    ) WITHOUT ROWID;
    CREATE UNIQUE INDEX accounts_by_subject ON accounts (subject) WHERE subject != '';
    CREATE TABLE sessions (
        id TEXT PRIMARY KEY, account_id TEXT NOT NULL REFERENCES accounts ON DELETE CASCADE,
        created_ns INTEGER NOT NULL, expires_ns INTEGER NOT NULL,
        address TEXT NOT NULL DEFAULT '', agent TEXT NOT NULL DEFAULT ''
    ) WITHOUT ROWID;
    CREATE TABLE tokens (
        id TEXT PRIMARY KEY, digest TEXT NOT NULL UNIQUE, name TEXT NOT NULL, grants TEXT NOT NULL,
        created_ns INTEGER NOT NULL, by TEXT NOT NULL, expires_ns INTEGER, incident_id TEXT
    ) WITHOUT ROWID;
    CREATE TABLE links (
        id TEXT PRIMARY KEY, incident_id TEXT NOT NULL, created_ns INTEGER NOT NULL,
        expires_ns INTEGER NOT NULL, by TEXT NOT NULL, note TEXT NOT NULL DEFAULT '', revoked_ns INTEGER
    ) WITHOUT ROWID;
    CREATE TABLE guests (
        id TEXT PRIMARY KEY, session TEXT NOT NULL UNIQUE,
        link_id TEXT NOT NULL REFERENCES links ON DELETE CASCADE,
        name TEXT NOT NULL, entered_ns INTEGER NOT NULL, dismissed_ns INTEGER
    ) WITHOUT ROWID;
    CREATE TABLE invites (
        digest TEXT PRIMARY KEY, kind TEXT NOT NULL, account_id TEXT NOT NULL, expires_ns INTEGER NOT NULL
    ) WITHOUT ROWID;
    """,
)
"""Each brings the file from the version before (PRAGMA user_version) to its own; never change one."""


class AccessStore:
    """`book` is what is known now. There is no file until somebody changes something."""

    def __init__(self, data_dir: Path, clock: Clock) -> None:
        self._path = data_dir / FILE
        self._clock = clock
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="access")
        self._file: sqlite3.Connection | None = None
        self._version = -1
        self._told: list[Callable[[], None]] = []
        self._complaint = ""
        self.book = Book()

    def open(self) -> None:
        """Read what there is. Raises ConfigError where the file cannot be used."""
        self.book = self._thread.submit(self._look).result() or self.book

    async def change(self, edit: Edit[T]) -> T:
        """Run `edit` in a transaction of its own thread; then `book` is the new one, and listeners know it.

        What `edit` raises is raised, and nothing is changed. Raises UnavailableError where the disk refuses;
        why that is, and where, is not for strangers: the log has it.
        """
        loop = asyncio.get_running_loop()
        try:
            result, book = await loop.run_in_executor(self._thread, self._change, edit)
        except ConfigError as error:
            log.error("%s", error)
            what = "who may come in cannot be written down just now: the log says why"
            raise UnavailableError(what, code="disk_failed") from None
        self._take(book)
        return result

    def change_now(self, edit: Edit[T]) -> T:
        """The same for the command line, which has no event loop, and is told why: raises ConfigError."""
        result, self.book = self._thread.submit(self._change, edit).result()
        return result

    def on_change(self, told: Callable[[], None]) -> None:
        """Call `told`, in the event loop, whenever `book` is another."""
        self._told.append(told)

    async def run(self) -> None:
        """See what others change in the file, until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            await self._clock.sleep_until(self._clock.now_ns() + round(LOOK_EVERY_S * NS_PER_S))
            try:
                book = await loop.run_in_executor(self._thread, self._look)
            except ConfigError as error:  # what was known goes on to hold, and so do the pictures
                self._complain(str(error))
                continue
            self._complaint = ""
            if book is not None:
                self._take(book)

    def close(self) -> None:
        self._thread.submit(self._close).result()
        self._thread.shutdown()

    def _complain(self, complaint: str) -> None:
        if complaint != self._complaint:
            self._complaint = complaint
            log.error("%s", complaint)

    def _take(self, book: Book) -> None:
        self.book = book
        for told in self._told:
            told()

    def _look(self) -> Book | None:
        """What the file says now; None where nobody else has changed it."""
        with self._explained():
            if self._file is None and not self._path.exists():
                return None
            file = self._opened()
            version = int(file.execute("PRAGMA data_version").fetchone()[0])
            if version == self._version:
                return None
            self._version = version
            return _read(file)

    def _change(self, edit: Edit[T]) -> tuple[T, Book]:
        with self._explained():
            file = self._opened()
            with _transaction(file):
                result = edit(file)
            return result, _read(file)

    def _close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    def _opened(self) -> sqlite3.Connection:
        if self._file is None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            # For this user only, before anything is in it; sqlite gives its companions the same mode.
            os.close(os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600))
            file = sqlite3.connect(self._path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False)
            file.row_factory = sqlite3.Row
            file.execute("PRAGMA journal_mode = WAL")
            file.execute("PRAGMA foreign_keys = ON")
            _migrate(file)
            self._file = file
        return self._file

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.DatabaseError, OSError) as error:
            if isinstance(error, sqlite3.IntegrityError):
                raise
            whose = "it must belong to the user who runs the service, and the disk must have room"
            raise ConfigError(f"{self._path} cannot be used: {error}; {whose}") from None


@contextlib.contextmanager
def _transaction(file: sqlite3.Connection) -> Iterator[None]:
    file.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        file.execute("ROLLBACK")
        raise
    file.execute("COMMIT")


def _migrate(file: sqlite3.Connection) -> None:
    with _transaction(file):
        version = int(file.execute("PRAGMA user_version").fetchone()[0])
        if version > len(MIGRATIONS):
            raise ConfigError(
                f"{FILE} is of a newer Lagebild (version {version}): run that one, or move it away"
            )
        for migration in MIGRATIONS[version:]:
            for statement in migration.split(";"):
                file.execute(statement)
        file.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
        if file.execute("SELECT count(*) FROM house").fetchone()[0] == 0:
            file.execute("INSERT INTO house VALUES (?)", (secrets.token_bytes(HOUSE_KEY_BYTES),))


def _read(file: sqlite3.Connection) -> Book:
    def rows(table: str) -> list[sqlite3.Row]:
        return file.execute(f"SELECT * FROM {table}").fetchall()

    accounts = [
        Account(**{**row, "roles": _roles(row["roles"]), "disabled": bool(row["disabled"])})
        for row in map(dict, rows("accounts"))
    ]
    tokens = [Token(**{**row, "grants": _grants(row["grants"])}) for row in map(dict, rows("tokens"))]
    invites = [Invite(**{**row, "kind": InviteKind(row["kind"])}) for row in map(dict, rows("invites"))]
    return Book(
        rows("house")[0]["key"],
        {each.id: each for each in accounts},
        {each.id: each for each in (Session(**dict(row)) for row in rows("sessions"))},
        {each.digest: each for each in tokens},
        {each.id: each for each in (Link(**dict(row)) for row in rows("links"))},
        {each.session: each for each in (Guest(**dict(row)) for row in rows("guests"))},
        {each.digest: each for each in invites},
    )


def _roles(text: str) -> frozenset[Role]:
    return frozenset(Role(each) for each in text.split())


def _grants(text: str) -> frozenset[Permission]:
    return frozenset(Permission(each) for each in text.split())
