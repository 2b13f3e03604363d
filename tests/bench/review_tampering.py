"""Whether `verify` finds one turned bit anywhere in an export: in the ZIP, and in each file of it."""

from __future__ import annotations

import random
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from recordings.export.verify import verify

SEED = 7


def tampering(package: Path, folder: Path, flips: int, flips_a_file: int) -> dict[str, Any]:
    """`flips` bits of the ZIP one after the other, any; and of every file in it, unpacked into `folder`, so
    many. Raises ValueError where what nobody touched is not found intact."""
    chance = random.Random(SEED)
    with zipfile.ZipFile(package) as packed:
        members = packed.infolist()
        packed.extractall(folder)
    for whole in (package, folder):
        if not (verdict := verify(whole)).intact:
            raise ValueError(f"an export that nobody touched: {verdict.findings[0]}")
    missed, tried = [], {"zip": 0, "members": 0, "folder": 0}
    for what, whole, file, bit in _bits(package, folder, members, chance, flips, flips_a_file):
        tried[what] += 1
        if not _found(whole, file, bit):
            missed.append(f"{what}: bit {bit} of {file.name}")
    return {
        "bytes": package.stat().st_size,
        "files": len(members),
        "turned": tried,
        "missed": len(missed),
        "which": missed[:20],
    }


def _bits(
    package: Path,
    folder: Path,
    members: list[zipfile.ZipInfo],
    chance: random.Random,
    flips: int,
    flips_a_file: int,
) -> Iterator[tuple[str, Path, Path, int]]:
    """What is turned: as what it counts, what is verified, the file, and the bit."""
    for _ in range(flips):
        yield "zip", package, package, chance.randrange(8 * package.stat().st_size)
    for member in members:
        first = member.header_offset  # its header, its name, its content
        for _ in range(flips_a_file):
            end = first + 30 + len(member.filename) + member.compress_size
            yield "members", package, package, chance.randrange(8 * first, 8 * end)
        file = folder / member.filename
        for _ in range(flips_a_file if member.file_size else 0):
            yield "folder", folder, file, chance.randrange(8 * member.file_size)


def _found(whole: Path, file: Path, bit: int) -> bool:
    """Turn it, look, and turn it back. An error instead of a verdict is no finding."""
    _turn(file, bit)
    try:
        return not verify(whole).intact
    except Exception:
        return False
    finally:
        _turn(file, bit)


def _turn(path: Path, bit: int) -> None:
    with path.open("r+b") as file:
        file.seek(bit // 8)
        byte = file.read(1)[0]
        file.seek(bit // 8)
        file.write(bytes([byte ^ 1 << bit % 8]))
