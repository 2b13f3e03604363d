"""The keys of publishers: made by `lagebild key`, shown once, kept as hashes in `data_dir/publish-keys.json`.

A key is 130 random bits, so one round of SHA-256 keeps it as safe as a slow hash would: nobody can guess it,
from the hash or at the door (docs/decisions/0010).
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
from pathlib import Path

from flow.errors import ConfigError, RefusedError

FILE = "publish-keys.json"
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"  # nothing that a person could mistake for something else
_LENGTH = 27
KEYS_PER_FEED = 16


class PublishKeys:
    """The file with all keys. A running service sees at once what is made or withdrawn beside it."""

    def __init__(self, data_dir: Path) -> None:
        self._path = data_dir / FILE
        self._read: tuple[tuple[int, int] | None, dict[str, list[str]]] = (None, {})
        """Modification time and size of the file, and its hashes by feed id: replaced at once, since several
        threads may ask."""

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
        raise RefusedError(f"feed '{feed_id}': this key is wrong or was withdrawn", code="key_wrong")

    def make(self, feed_id: str) -> str:
        """A new key, valid from now on beside the older ones. Raises ConfigError."""
        self._refresh()
        known = self._hashes.setdefault(feed_id, [])
        if len(known) >= KEYS_PER_FEED:
            how = f"withdraw them with `lagebild key {feed_id} --withdraw`"
            raise ConfigError(f"feed '{feed_id}' has {len(known)} keys: {how}")
        key = "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH))
        known.append(_hash(key))
        self._write()
        return key

    def withdraw(self, feed_id: str) -> int:
        """Take back all keys of a feed; how many there were. Raises ConfigError."""
        self._refresh()
        withdrawn = len(self._hashes.pop(feed_id, []))
        self._write()
        return withdrawn

    def count(self, feed_id: str) -> int:
        """How many keys a feed has."""
        self._refresh()
        return len(self._hashes.get(feed_id, []))

    @property
    def _hashes(self) -> dict[str, list[str]]:
        return self._read[1]

    def _refresh(self) -> None:
        try:
            status = self._path.stat()
            version = (status.st_mtime_ns, status.st_size)
            if version == self._read[0]:
                return
            tree = json.loads(self._path.read_text(encoding="utf-8"))
            hashes = {str(feed_id): [str(each) for each in known] for feed_id, known in tree.items()}
            self._read = version, hashes
        except FileNotFoundError:
            self._read = None, {}
        except (OSError, ValueError, AttributeError, TypeError) as error:
            raise ConfigError(f"{self._path} cannot be read: {error}; restore it or delete it") from None

    def _write(self) -> None:
        """Whole or not at all, and for this user only."""
        part = self._path.with_suffix(".part")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with open(descriptor, "w", encoding="utf-8") as file:
                json.dump(self._hashes, file, indent=1)
                file.flush()
                os.fsync(file.fileno())
            part.replace(self._path)
        except OSError as error:
            raise ConfigError(f"{self._path} cannot be written: {error.strerror}") from None
        self._read = None, self._hashes


def _hash(key: str) -> str:
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest()
