"""What a process that we start is given of our environment, and what it may take of the machine.

Such processes read what cameras and strangers have sent, with libraries of a million lines of C. Whoever
takes one over finds no secret in it, can gain no rights by it, and cannot fill the disk or the memory.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import sys
from collections.abc import Mapping
from dataclasses import dataclass

GIB = 1024**3

_GIVEN = frozenset(
    [
        "PATH", "HOME", "USER", "LOGNAME", "LANG", "LANGUAGE", "TZ", "TMPDIR", "VIRTUAL_ENV",
        "LD_LIBRARY_PATH",
        "SSL_CERT_FILE", "SSL_CERT_DIR", "OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "PROJ_DATA", "PROJ_LIB",
        "GDAL_DATA",
    ]
)  # fmt: skip
_GIVEN_BEGINNINGS = ("LC_", "PYTHON", "MALLOC_", "COVERAGE_")
_PR_SET_NO_NEW_PRIVS = 38  # prctl(2)


@dataclass(frozen=True, slots=True)
class Limits:
    """`memory_bytes` are of the address space, much of which is never touched; None: not limited here.
    `file_bytes`: of the largest file that it writes, also of a log on its standard error."""

    memory_bytes: int | None = None
    file_bytes: int = GIB
    files: int = 512


READING = Limits(6 * GIB)
"""Decodes, encodes or reads, and writes no file."""
WRITING = Limits(8 * GIB, file_bytes=256 * GIB)
"""Makes files of whole flights."""


def environment(more: Mapping[str, str] | None = None) -> dict[str, str]:
    """What programs need to run, and nothing else: what we were told by ours may hold passwords."""
    given = {
        name: value
        for name, value in os.environ.items()
        if name in _GIVEN or name.startswith(_GIVEN_BEGINNINGS)
    }
    return given | dict(more or {})


def confine(limits: Limits) -> None:
    """In such a process, before it reads anything: from now on that is all it may take (setrlimit(2)), and
    nothing that it starts can gain rights (prctl(2))."""
    if limits.memory_bytes is not None:
        _at_most(resource.RLIMIT_AS, limits.memory_bytes)
    _at_most(resource.RLIMIT_FSIZE, limits.file_bytes)
    _at_most(resource.RLIMIT_NOFILE, limits.files)
    _at_most(resource.RLIMIT_CORE, 0)  # what it holds in memory are pictures of people
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)


def _at_most(kind: int, wanted: int) -> None:
    """Never more than there is already."""
    _, hard = resource.getrlimit(kind)
    most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    with contextlib.suppress(ValueError, OSError):  # it has more of it open already: the next one fails
        resource.setrlimit(kind, (most, most))
