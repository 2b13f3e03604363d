"""Small sums: percentiles, CPU time of a process, versions."""

from __future__ import annotations

import os
import platform
import statistics
import subprocess
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

TICKS_PER_S = os.sysconf("SC_CLK_TCK")


def percentile(values: Sequence[float], share: float, digits: int = 1) -> float | None:
    """The value that `share` (0 to 1) of the values do not exceed, rounded; None of nothing."""
    if not values:
        return None
    ordered = sorted(values)
    return round(ordered[min(len(ordered) - 1, int(share * len(ordered)))], digits)


def p50_p95(values: Sequence[float]) -> dict[str, float | int | None]:
    return {"p50": percentile(values, 0.5), "p95": percentile(values, 0.95), "n": len(values)}


def median(values: Sequence[float]) -> float | None:
    return statistics.median(values) if values else None


def cpu_s(pid: int) -> float:
    """User and system CPU seconds of one process so far, its children not counted (proc(5), stat)."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_S


def resident_mb(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmRSS"):
            return round(int(line.split()[1]) / 1024, 1)
    raise RuntimeError(f"no VmRSS of process {pid}")


def surroundings() -> dict[str, str]:
    """Versions and machine that the figures belong to."""
    chromium = subprocess.run(["chromium", "--version"], capture_output=True, text=True, check=False)
    model = [ln for ln in Path("/proc/cpuinfo").read_text().splitlines() if ln.startswith("model name")]
    return {
        "lagebild": version("lagebild"),
        "python": platform.python_version(),
        "aiortc": version("aiortc"),
        "chromium": chromium.stdout.strip().split(" built")[0],
        "cpu": f"{os.cpu_count()} x {model[0].partition(': ')[2] if model else platform.machine()}",
    }
