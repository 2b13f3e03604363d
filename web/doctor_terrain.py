"""Whether the height models of the configuration can be read, and what ground they cover."""

from __future__ import annotations

from telemetry.terrain import HeightModels

from .doctor_report import Finding, fail, ok, warn

_NAMED = 3


def check_terrain(paths: tuple[str, ...]) -> Finding:
    """One line for all of them. Waits for the disk."""
    if not paths:
        return ok("terrain", "no height model is configured: the ground is flat at the height of the start")
    models = HeightModels(paths)
    if not models.files:
        bad = models.unreadable[0]
        return fail("terrain", f"no height model can be used: {bad.path}: {bad.why}", "correct [map] terrain")
    cells = sorted({round(file.cell_m) for file in models.files})
    west, south = min(f.west for f in models.files), min(f.south for f in models.files)
    east, north = max(f.east for f in models.files), max(f.north for f in models.files)
    text = (
        f"{len(models.files)} height models with cells of {cells[0]} to {cells[-1]} m, "
        f"{south:.2f} to {north:.2f} N and {west:.2f} to {east:.2f} E"
    )
    if not models.unreadable:
        return ok("terrain", text)
    named = "; ".join(f"{bad.path}: {bad.why}" for bad in models.unreadable[:_NAMED])
    left_out = len(models.unreadable) - _NAMED
    more = f" and {left_out} more" if left_out > 0 else ""
    return warn("terrain", f"{text}; not used: {named}{more}", "GeoTIFF with its coordinate system, or .hgt")
