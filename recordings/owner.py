"""One server for one data folder: whoever has it holds a lock on `.owner`, which says who that is.

The lock is the kernel's (flock): it is gone with the process that held it, however that ended. The file
stays, and what it says counts only while it is locked. Descriptors are not inherited by children (PEP 446),
so no encoder keeps the folder of a server that was killed.
"""

from __future__ import annotations

import errno
import fcntl
import logging
import os
import socket
import stat
import time
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType

import msgspec

from flow.errors import ConfigError

from .folders import OWNER_FILE

log = logging.getLogger("lagebild.recordings")

_SIZE_BYTES = 1024
"""What is written is filled up to this, so that one write replaces it and nobody reads a half of each."""

_TRIES, _TRY_AGAIN_S = 5, 0.02
"""Whoever only asks (`owner_of`) holds the lock for an instant, which must not turn a server away."""

_WITHOUT_LOCKS = frozenset({errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL})


class FolderTakenError(ConfigError):
    """Another server has the data folder; the message names it."""

    code = "data_dir_taken"


class Owner(msgspec.Struct, frozen=True):
    """Who has a folder. `address` is that of its page, "" before it listens; `started` is UTC, ISO 8601."""

    pid: int
    host: str
    started: str
    about: str = ""
    address: str = ""

    def __str__(self) -> str:
        since = self.started.replace("T", " ")[:16]
        about = f" ({self.about})" if self.about else ""
        where = f", {self.address}" if self.address else ""
        return f"process {self.pid}{about} on {self.host} since {since} UTC{where}"

    @property
    def is_of_this_host(self) -> bool:
        return self.host == socket.gethostname()


class Claim:
    """A folder that is ours until `release()`, also as a context manager."""

    def __init__(self, descriptor: int, owner: Owner) -> None:
        self._descriptor, self._owner = descriptor, owner
        _write(descriptor, owner)

    def tell(self, address: str) -> None:
        """The page's address, known once the server listens."""
        self._owner = msgspec.structs.replace(self._owner, address=address)
        _write(self._descriptor, self._owner)

    def release(self) -> None:
        """Let others have it; may be called again."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def __enter__(self) -> Claim:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


def claim(root: Path, about: str = "") -> Claim:
    """Take the data folder, which is made where it is missing. `about` is what wants it: "lagebild serve".

    Raises FolderTakenError where another server has it, ConfigError where it cannot be written. On a file
    system that knows no locks it is taken with a warning: recording matters more than a second server that
    hardly anybody starts.
    """
    try:
        root.mkdir(parents=True, exist_ok=True)
        descriptor = _opened(root / OWNER_FILE, os.O_RDWR | os.O_CREAT)
    except OSError as error:
        raise _unusable(root, error) from None
    try:
        _lock(descriptor, root)
        return Claim(descriptor, _ourselves(about))
    except OSError as error:
        os.close(descriptor)
        raise _unusable(root, error) from None
    except BaseException:
        os.close(descriptor)
        raise


def owner_of(root: Path) -> Owner | None:
    """Who has the folder now; None: nobody. Takes and changes nothing; raises ConfigError where it cannot be
    told, such as in the folder of another user."""
    try:
        descriptor = _opened(root / OWNER_FILE, os.O_RDONLY)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _unusable(root, error) from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _read(descriptor)
    except OSError:  # no locks here: nobody can be said to have it
        return None
    finally:
        os.close(descriptor)
    return None


def _opened(path: Path, flags: int) -> int:
    """A descriptor of a regular file: what else may lie there under that name is not touched."""
    descriptor = os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK, 0o644)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, f"{OWNER_FILE} is no file")
    return descriptor


def _lock(descriptor: int, root: Path) -> None:
    for _ in range(_TRIES):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            time.sleep(_TRY_AGAIN_S)
        except OSError as error:
            if error.errno not in _WITHOUT_LOCKS:
                raise
            log.warning(
                "%s: its file system knows no locks (%s): nothing keeps a second server from it",
                root, os.strerror(error.errno),
            )  # fmt: skip
            return
    first = _read(descriptor)
    raise FolderTakenError(
        f"{root}: another server has this folder: {first or 'it does not say which'}; "
        "stop it, or set server.data_dir to another folder"
    )


def _ourselves(about: str) -> Owner:
    now = datetime.now(UTC)
    return Owner(os.getpid(), socket.gethostname(), f"{now:%Y-%m-%dT%H:%M:%SZ}", about)


def _write(descriptor: int, owner: Owner) -> None:
    os.pwrite(descriptor, msgspec.json.encode(owner).ljust(_SIZE_BYTES - 1) + b"\n", 0)
    os.ftruncate(descriptor, _SIZE_BYTES)


def _read(descriptor: int) -> Owner | None:
    try:
        return msgspec.json.decode(os.pread(descriptor, _SIZE_BYTES, 0), type=Owner)
    except msgspec.MsgspecError:
        return None


def _unusable(root: Path, error: OSError) -> ConfigError:
    return ConfigError(
        f"{root}: recordings cannot be kept there: {error.strerror}; "
        "set server.data_dir to a folder that this user may write"
    )
