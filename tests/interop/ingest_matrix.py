"""Which publisher brings which codec by which way, and what becomes of it: the table of docs/ingest.md.

    python -m tests.interop.ingest_matrix        puts what the last test run found into docs/ingest.md

The outcomes are found by test_ingest_matrix.py, which writes them to build/ingest-matrix.json.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOUND = ROOT / "build" / "ingest-matrix.json"
PAGE = ROOT / "docs" / "ingest.md"
DASHBOARD = ROOT / "web" / "dashboard" / "src"
BEGIN, END = "<!-- matrix: made by `make docs-ingest` -->", "<!-- end of the matrix -->"

_X265 = ("-c:v", "libx265", "-tag:v", "hvc1")
CODECS: dict[str, tuple[str, ...]] = {
    "H.264": ("-tune", "zerolatency", "-g", "30"),
    "H.264, B-frames": ("-bf", "2", "-g", "30"),
    "H.264, interlaced": ("-flags", "+ilme+ildct", "-bf", "0", "-g", "30"),
    "H.264, 4:4:4": ("-pix_fmt", "yuv444p", "-bf", "0", "-g", "30"),
    "H.264, intra refresh": ("-x264-params", "intra-refresh=1:keyint=30", "-bf", "0"),
    "H.265": (*_X265, "-x265-params", "bframes=0:keyint=30:log-level=none"),
    "H.265, B-frames": (*_X265, "-x265-params", "bframes=2:keyint=30:log-level=none"),
    "MPEG-2": ("-c:v", "mpeg2video", "-b:v", "2M"),
    "MPEG-4 Part 2": ("-c:v", "mpeg4", "-b:v", "2M"),
    "MS-MPEG4": ("-c:v", "msmpeg4", "-b:v", "1M"),
    "Motion JPEG": ("-c:v", "mjpeg", "-huffman", "default", "-pix_fmt", "yuvj420p"),
    "VP9": ("-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8"),
    "AV1": ("-c:v", "libsvtav1", "-preset", "12"),
}
"""The rows, by how ffmpeg encodes them."""

WAYS = ("RTP", "MPEG-TS", "RTMP", "RTSP, UDP", "RTSP, TCP", "SRT", "WHIP", "file")
"""The columns."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one codec from one publisher by one way.

    `result` is "live", "transcoded" (for browsers, or altogether) or "refused". `codes` are the notes of a
    feed that is shown, or the reason of a refusal: codes of the UI catalogue.
    """

    way: str
    publisher: str
    codec: str
    result: str
    codes: tuple[str, ...]

    @property
    def cell(self) -> str:
        """As it stands in the table."""
        named = ", ".join(f"`{code}`" for code in self.codes)
        if self.result == "refused":
            return f"refused: {named}"
        return f"{self.result} ({named})" if named else self.result


CELL = re.compile(r"(live|transcoded)( \(`\w+`(, `\w+`)*\))?|refused: `\w+`|–")


def save(outcomes: Iterable[Outcome]) -> None:
    FOUND.parent.mkdir(parents=True, exist_ok=True)
    FOUND.write_text(json.dumps([asdict(each) for each in outcomes], indent=1) + "\n", encoding="utf-8")


def load() -> list[Outcome]:
    tree = json.loads(FOUND.read_text(encoding="utf-8"))
    return [Outcome(**{**each, "codes": tuple(each["codes"])}) for each in tree]


def rendered(outcomes: Iterable[Outcome]) -> str:
    """The table, who sent what, and the words for every code in it."""
    found = list(outcomes)
    lines = [f"| | {' | '.join(WAYS)} |", "|---" * (len(WAYS) + 1) + "|"]
    for codec in CODECS:
        cells = [_cell([each for each in found if (each.way, each.codec) == (way, codec)]) for way in WAYS]
        lines.append(f"| {codec} | {' | '.join(cells)} |")
    lines += ["", "Sent by:", ""]
    for way in WAYS:
        publishers = sorted({each.publisher for each in found if each.way == way})
        lines.append(f"- {way}: {', '.join(publishers)}")
    lines += ["", "| code | what the page says |", "|---|---|"]
    for code in sorted({code for each in found for code in each.codes}):
        lines.append(f"| `{code}` | {' · '.join(words(code))} |")
    return "\n".join(lines)


def _cell(outcomes: list[Outcome]) -> str:
    """Several publishers mostly agree; where they do not, all is said."""
    return "; ".join(dict.fromkeys(each.cell for each in outcomes)) or "–"


def words(code: str) -> tuple[str, str]:
    """What the page says to a reason or a note, in German and English."""
    files = (DASHBOARD / "catalogue.ts", *DASHBOARD.rglob("*ords.ts"))
    catalogue = "\n".join(path.read_text(encoding="utf-8") for path in files)
    found = re.search(rf'"(?:reason|note)\.{code}": \[\s*"([^"]*)",\s*"([^"]*)",?\s*\]', catalogue)
    return (found[1], found[2]) if found else ("", "")


def replaced(page: str, table: str) -> str:
    before, _, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not end:
        raise SystemExit(f"{PAGE} has lost its marks: {BEGIN} … {END}")
    return f"{before}{BEGIN}\n\n{table}\n\n{END}{after}"


def committed_table() -> str:
    page = PAGE.read_text(encoding="utf-8")
    return page.partition(BEGIN)[2].partition(END)[0]


def main() -> None:
    PAGE.write_text(replaced(PAGE.read_text(encoding="utf-8"), rendered(load())), encoding="utf-8")


if __name__ == "__main__":
    main()
