"""`python -m tests.fakes.audit_writer FOLDER`: writes to an audit log as fast as it can, until it is killed.

It says "on" once something of it is on the disk.
"""

from __future__ import annotations

import itertools
import sys
from pathlib import Path

from tests.fakes.audited import entry
from web.audit.folder import AuditFolder

BATCH = 50


def main() -> None:
    folder = AuditFolder(Path(sys.argv[1]))
    for n in itertools.count():
        batch = [entry(n, n=n, text="x" * (each * 5)) for each in range(BATCH)]
        folder.append(batch, 0)
        if n % 7 == 0:
            folder.anchor(0)
        if n == 0:
            print("on", flush=True)


if __name__ == "__main__":
    main()
