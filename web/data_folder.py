"""The data folder, for us alone: two servers would write into each other's flights."""

from __future__ import annotations

import asyncio
import logging
import os
from pathlib import Path

from flow.errors import ConfigError
from recordings.folders import OWNER_FILE
from recordings.owner import Claim, FolderTakenError, claim

log = logging.getLogger("lagebild.web")


class DataFolder:
    """Where it cannot be claimed the service starts, too: pictures are shown, and recorded if that can be.
    It is claimed as soon as that can be done; should another server have it by then, ours is not to write."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._claim: Claim | None = None
        self._address = self._told = ""
        self.is_anothers = False

    def take(self) -> None:
        """Before anything listens. Raises FolderTakenError where another server has it."""
        try:
            self._claim = claim(self._root, "lagebild")
        except FolderTakenError:
            raise
        except ConfigError as error:
            self._complain(error)

    def tell(self, address: str) -> None:
        """The page's address, once it listens."""
        self._address = address
        if self._claim is not None:
            self._claim.tell(address)

    async def run(self) -> None:
        """Try once more, where it is not ours yet."""
        if self._claim is not None:
            return
        try:
            self._claim = await asyncio.to_thread(claim, self._root, "lagebild")
        except ConfigError as error:
            self.is_anothers = isinstance(error, FolderTakenError)
            self._complain(error)
        else:
            self.is_anothers = False
            self._claim.tell(self._address)
            log.info("%s is claimed now", self._root)

    def release(self) -> None:
        if self._claim is not None:
            self._claim.release()

    def _complain(self, error: ConfigError) -> None:
        if str(error) != self._told:
            self._told = str(error)
            log.error("%s", error)


def become_its_user(root: Path) -> None:
    """What root makes in the folder, the user who runs the server could not change afterwards."""
    owner = root / OWNER_FILE
    status = (owner if owner.exists() else root).stat()
    if os.geteuid() == 0 and status.st_uid != 0:
        os.setgroups([])
        os.setgid(status.st_gid)
        os.setuid(status.st_uid)
