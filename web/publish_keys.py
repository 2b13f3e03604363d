"""The keys of publishers, made by `lagebild key` or on the pilot page, shown once; hashes lie in `data_dir`.

Rotated, a feed has one new key, and the older ones let nobody in any more; but whoever sends with one of them
goes on until he ends, so that no picture is lost. Withdrawn, keys are gone, and whoever sends with one is cut
off (key_watch.py).

A key is 130 random bits, so one round of SHA-256 keeps it as safe as a slow hash would: nobody can guess it,
from the hash or at the door (docs/decisions/0010).
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import secrets
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import TypeAlias

from flow.errors import ConfigError, LagebildError, RefusedError

FILE = "publish-keys.json"
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"  # nothing that a person could mistake for something else
_LENGTH = 27
KEYS_PER_FEED = 16
_ROTATED = "rotated:"
_ROTATED_MOST = 16

Hashes: TypeAlias = dict[str, list[str]]
"""Of all keys, by feed id; with `_ROTATED` before those that let nobody in any more."""


class KeyStanding(StrEnum):
    """What became of a key that once let somebody in."""

    CURRENT = "current"
    ROTATED = "rotated"  # a newer one took its place: who came with it may stay
    WITHDRAWN = "withdrawn"


class KeysFullError(LagebildError):
    """A feed has as many keys as it may have."""

    code = "keys_full"


class PublishKeys:
    """The file with all keys. A running service sees at once what is made or withdrawn beside it."""

    def __init__(self, data_dir: Path) -> None:
        self._path = data_dir / FILE
        self._lock = self._path.with_suffix(".lock")
        self._read_of: tuple[int, int, int] | None = None
        """What tells the file that was read from a newer one."""
        self._hashes: Hashes = {}
        """Replaced whole: SRT asks in a thread of its own."""

    def check(self, feed_id: str, key: str) -> None:
        """Raises RefusedError, as flow/doors.py says."""
        self._refresh()
        if not key:
            raise RefusedError(f"feed '{feed_id}': the key is missing from the address", code="key_missing")
        given, hashes = _hash(key), self._hashes
        if given in hashes.get(feed_id, []):
            return
        if any(given in known for known in hashes.values()):
            raise RefusedError(f"feed '{feed_id}': this key is another feed's", code="key_foreign")
        if _ROTATED + given in hashes.get(feed_id, []):
            raise RefusedError(f"feed '{feed_id}': a newer key took the place of this one", code="key_wrong")
        raise RefusedError(f"feed '{feed_id}': this key is wrong or was withdrawn", code="key_wrong")

    def standing(self, feed_id: str, key: str) -> KeyStanding:
        """What became of a key that has let somebody in. Raises ConfigError."""
        self._refresh()
        given, hashes = _hash(key), self._hashes.get(feed_id, [])
        if given in hashes:
            return KeyStanding.CURRENT
        return KeyStanding.ROTATED if _ROTATED + given in hashes else KeyStanding.WITHDRAWN

    @property
    def is_there(self) -> bool:
        """Whether there is a file: where its disk is gone, no key was withdrawn."""
        return self._path.exists()

    def make(self, feed_id: str) -> str:
        """A new key, valid from now on beside the older ones. Raises KeysFullError, ConfigError."""
        with self._alone():
            hashes = self._read()
            known = hashes.get(feed_id, [])
            if (count := _current(known)) >= KEYS_PER_FEED:
                how = f"rotate or withdraw them with `lagebild key {feed_id} --rotate` or `--withdraw`"
                raise KeysFullError(f"feed '{feed_id}' has {count} keys: {how}")
            key = _new_key()
            self._write({**hashes, feed_id: [*known, _hash(key)]})
        return key

    def rotate(self, feed_id: str) -> tuple[str, int]:
        """A new key in place of all that there are, and how many that were: they let nobody in any more, but
        whoever sends with one goes on. Raises ConfigError."""
        with self._alone():
            hashes = self._read()
            known = hashes.get(feed_id, [])
            key = _new_key()
            rotated = [each if each.startswith(_ROTATED) else _ROTATED + each for each in known]
            self._write({**hashes, feed_id: [*rotated[-_ROTATED_MOST:], _hash(key)]})
        return key, _current(known)

    def withdraw(self, feed_id: str) -> int:
        """Take back all keys of a feed, also those that were rotated; how many let somebody in until now.
        Raises ConfigError."""
        with self._alone():
            hashes = self._read()
            withdrawn = _current(hashes.pop(feed_id, []))
            self._write(hashes)
        return withdrawn

    def count(self, feed_id: str) -> int:
        """How many keys a feed has that let somebody in."""
        self._refresh()
        return _current(self._hashes.get(feed_id, []))

    def forbidden(self) -> list[Path]:
        """Which of the folder and its files this user may not read and write, of those that there are."""
        there = [each for each in (self._path.parent, self._path, self._lock) if os.path.exists(each)]
        wanted = {each: os.R_OK | os.W_OK | (os.X_OK if each.is_dir() else 0) for each in there}
        return [each for each, how in wanted.items() if not os.access(each, how, effective_ids=True)]

    def _refresh(self) -> None:
        try:
            status = self._path.stat()
        except OSError:
            version = None  # what is wrong, if anything, is said by reading
        else:
            version = (status.st_ino, status.st_mtime_ns, status.st_size)
        if version is None or version != self._read_of:
            self._hashes, self._read_of = self._read(), version

    def _read(self) -> Hashes:
        try:
            tree = json.loads(self._path.read_text(encoding="utf-8"))
            return {str(feed_id): [str(each) for each in known] for feed_id, known in tree.items()}
        except FileNotFoundError:
            return {}
        except PermissionError:
            whose = "it must belong to the user who runs the service"
            raise ConfigError(f"{self._path} cannot be read by this user: {whose}") from None
        except (OSError, ValueError, AttributeError, TypeError) as error:
            raise ConfigError(f"{self._path} cannot be read: {error}; restore it or delete it") from None

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """Nobody else changes the file meanwhile: no other thread, no `lagebild key` beside the service."""
        try:
            make_folder(self._path.parent)
            lock = self._open(self._lock, os.O_RDWR | os.O_CREAT)
        except OSError as error:
            raise ConfigError(f"{self._path} cannot be written: {error.strerror}") from None
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)

    def _write(self, hashes: Hashes) -> None:
        """Whole or not at all, and for one user only."""
        part = self._path.with_suffix(".part")
        try:
            part.unlink(missing_ok=True)  # of somebody who was interrupted
            descriptor = self._open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
            with open(descriptor, "w", encoding="utf-8") as file:
                json.dump(hashes, file, indent=1)
                file.flush()
                os.fsync(file.fileno())
            part.replace(self._path)
        except OSError as error:
            raise ConfigError(f"{self._path} cannot be written: {error.strerror}") from None

    def _open(self, path: Path, flags: int) -> int:
        """For this user only; what root makes (`sudo lagebild key`) is its who has the rest."""
        descriptor = os.open(path, flags | os.O_NOFOLLOW, 0o600)
        if os.geteuid() == 0:
            owners = (each.stat() for each in (self._path, self._path.parent) if each.exists())
            _give(descriptor, next((owner for owner in owners if owner.st_uid), None))
        return descriptor


def make_folder(folder: Path) -> None:
    """With the folders above it; made by root, each is its parent's owner's."""
    if folder.is_dir():
        return
    make_folder(folder.parent)
    folder.mkdir(exist_ok=True)
    if os.geteuid() == 0:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        _give(descriptor, folder.parent.stat())
        os.close(descriptor)


def _give(descriptor: int, owner: os.stat_result | None) -> None:
    """By descriptor: where others may write, a name may point elsewhere a moment later."""
    if owner is not None:
        os.fchown(descriptor, owner.st_uid, owner.st_gid)


def _new_key() -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH))


def _current(hashes: list[str]) -> int:
    return sum(not each.startswith(_ROTATED) for each in hashes)


def _hash(key: str) -> str:
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest()
