"""CPU and memory of a tree of processes, and how busy a core was, as the kernel counts them (proc(5))."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_PROC = Path("/proc")
_PPID, _UTIME, _STIME, _CUTIME, _CSTIME = 1, 11, 12, 13, 14  # fields after the command's closing bracket


@dataclass(frozen=True, slots=True)
class Memory:
    """Megabytes: resident; its proportional share, where pages of libraries are divided by who has them."""

    rss_mb: float
    pss_mb: float


def tree(pids: Iterable[int]) -> list[int]:
    """The processes and all their living descendants."""
    children: dict[int, list[int]] = {}
    for pid in _running():
        if fields := _stat(pid):
            children.setdefault(int(fields[_PPID]), []).append(pid)
    found = list(dict.fromkeys(pids))
    for pid in found:  # grows while it is walked
        found += [child for child in children.get(pid, []) if child not in found]
    return found


def cpu_s(pids: Iterable[int]) -> float:
    """User and system seconds so far of these processes and descendants, those that ended included."""
    fields = [f for f in map(_stat, tree(pids)) if f]
    return sum(int(f[i]) for f in fields for i in (_UTIME, _STIME, _CUTIME, _CSTIME)) / TICKS_PER_S


def waited_s(pid: int) -> float:
    """Seconds for which the main thread of a process could have run and something else had its core."""
    return int((_PROC / str(pid) / "schedstat").read_text(encoding="ascii").split()[1]) / 1e9


def memory(pids: Iterable[int]) -> Memory:
    """What these processes and their descendants have in memory now."""
    rss_kb = pss_kb = 0
    for pid in tree(pids):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            lines = (_PROC / str(pid) / "smaps_rollup").read_text(encoding="ascii").splitlines()
            sizes = {line.split(":")[0]: int(line.split()[1]) for line in lines[1:]}
            rss_kb, pss_kb = rss_kb + sizes["Rss"], pss_kb + sizes["Pss"]
    return Memory(round(rss_kb / 1024, 2), round(pss_kb / 1024, 2))


def core_busy_s(core: int) -> float:
    """Seconds since boot in which a core was not idle.

    Interrupts are in it that `cpu_s` of a process may lack: on a core with one process pinned to it, the
    difference is what the kernel did for that process without saying so.
    """
    for line in (_PROC / "stat").read_text(encoding="ascii").splitlines():
        name, *numbers = line.split()
        if name == f"cpu{core}":
            user, nice, system, _idle, _iowait, irq, softirq, *_ = map(int, numbers)
            return (user + nice + system + irq + softirq) / TICKS_PER_S
    raise ValueError(f"there is no core {core}")


def _running() -> Iterator[int]:
    return (int(entry) for entry in os.listdir(_PROC) if entry.isdecimal())


def _stat(pid: int) -> list[str] | None:
    """The fields of /proc/PID/stat after the command, which may hold brackets; None when it is gone."""
    try:
        return (_PROC / str(pid) / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
