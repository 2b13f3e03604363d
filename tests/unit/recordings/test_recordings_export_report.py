"""The report of an export: true to the data, the same as HTML and as PDF, and unknown where it is unknown."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC
from html.parser import HTMLParser
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
import pytest
from pypdf import PdfReader

from flow.clock import NS_PER_S
from flow.samples import Place
from recordings.export.document import Table
from recordings.export.flown import By, Flown, Stand, flown_by
from recordings.export.order import Region
from recordings.export.report import make_report
from recordings.export.report_facts import facts_of
from recordings.export.report_form import Form
from recordings.export.report_text import document_of
from recordings.export.report_words import ALARMS
from recordings.export.source import ExportSource
from recordings.export.track_map import HEIGHT_MM, WIDTH_MM, Ink, Mark, track_map
from recordings.notes import NoteBook
from tests.fakes.clock import START_NS, FakeClock

from .reported import EXERCISE, FIRE, HOME, circle, flown_flight, happened, in_english, source_of, stills

BERLIN = ZoneInfo("Europe/Berlin")
DASHBOARD = Path(__file__).parents[3] / "web" / "dashboard" / "src"


class _Page(HTMLParser):
    """Words of a page, and its elements; what is left open or closed twice fails."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self.tags: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.append(tag)
        if tag not in ("meta", "img", "col"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: object) -> None:
        self.tags.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words += data.split()


def reported(source: ExportSource, folder: Path, pictures: int = 0) -> tuple[str, str, _Page]:
    """The text of the HTML and of the PDF, without line breaks, and the page."""
    told: list[float] = []
    paths = make_report(source, stills(folder, pictures), folder, told.append, zone=BERLIN)
    assert told == sorted(told)
    assert told[-1] == 1.0
    page = _Page()
    page.feed(paths[0].read_text(encoding="utf-8"))
    page.close()
    assert not page.open
    pdf = " ".join(page.extract_text() for page in PdfReader(paths[1]).pages)
    return " ".join(page.words), " ".join(pdf.split()), page


@pytest.fixture
def whole(tmp_path: Path) -> ExportSource:
    samples = circle(120)
    flight = flown_flight(tmp_path, samples)
    NoteBook(FakeClock()).add(flight.folder, START_NS + 33 * NS_PER_S, "Rauch nach Nordost", "Çelik", "")
    NoteBook(FakeClock()).add(flight.folder, START_NS + 3300 * NS_PER_S, "viel später", "Çelik", "")
    return source_of(flight, samples, happened(), FIRE)


def test_html_and_pdf_say_what_is_known(whole: ExportSource, tmp_path: Path) -> None:
    html, pdf, page = reported(whole, tmp_path, pictures=3)
    for text in (html, pdf):
        for expected in (
            "Flugbericht",
            "Einsatz Brand Bauernhof „Zum Löwen“",
            "Multikopter Łódź–Ümläut (marta)",
            "Drohnensteuerer Žofie Müller-Şahin",
            "Ort Kaiserslautern, Hof Дача",
            "Nummer 2026-117",
            "Bemerkungen Wind <böig> & Regen",
            "Start 22.11.2026 06:46:50 UTC (07:46:50 MEZ)",
            "Landung 22.11.2026 06:48:30 UTC (07:48:30 MEZ)",
            "Flugdauer 0:01:40 h",
            "Landeplatz 32U MV 1075 7744 (49,44312° N, 7,76891° O)",
            "Größte Höhe über Start 84 m",
            "Größte Geschwindigkeit über Grund 6,2 m/s",
            "06:46:40 – 06:46:51 06:46:42 – 06:46:49",  # the gap of 7 s
            "keine Bilder",  # of the other camera
            "22.11.2026 06:47:10,345 UTC (07:47:10 MEZ)",
            "Markierung M1 „Glutnest <script>“ bei 32U MV 1080 7746",
            "Warnung: Akku unter 20 %",
            "Beendet: Akku unter 20 %",
            "Rauch nach Nordost",
        ):
            assert expected in text
        assert "viel später" not in text
        assert "ÜBUNG" not in text
    assert page.tags.count("img") == 3
    assert "in Ordnung gebracht" not in html
    assert "script" not in page.tags


def test_nothing_is_fetched_and_nothing_runs(whole: ExportSource, tmp_path: Path) -> None:
    reported(whole, tmp_path, pictures=1)
    html = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "default-src 'none'" in html
    assert set(re.findall(r'(?:src|href)="([a-z]+:)', html)) == {"data:"}
    assert "<script" not in html


def test_in_english_and_of_an_exercise(whole: ExportSource, tmp_path: Path) -> None:
    for text in reported(in_english(replace(whole, incident=EXERCISE)), tmp_path)[:2]:
        assert "EXERCISE" in text
        assert "Take-off 2026-11-22 06:46:50 UTC (07:46:50 CET)" in text
        assert "49.44312° N, 7.76891° E" in text
        assert "Flug" not in text.replace("Flugbuch", "")


def test_only_the_stretch_is_told(whole: ExportSource, tmp_path: Path) -> None:
    """But for the Flugbuch, which is of the whole flight."""
    order = msgspec.structs.replace(
        whole.order, from_ns=START_NS + 4 * NS_PER_S, to_ns=START_NS + 5 * NS_PER_S
    )
    short = replace(whole, order=order, events=[], samples=lambda: iter(circle(120)[8:10]))
    for text in reported(short, tmp_path)[:2]:
        assert "Start 22.11.2026 06:46:50 UTC" in text
        assert "Größte Höhe über Start 0 m" in text
        assert "Positionsmeldungen 2" in text
        assert "Keine im Zeitraum." in text
        assert "Rauch" not in text


def test_a_flight_of_which_nothing_is_known(tmp_path: Path) -> None:
    flight = flown_flight(tmp_path, [])
    html, pdf, page = reported(source_of(flight, [], []), tmp_path, pictures=1)
    for text in (html, pdf):
        assert "Start unbekannt" in text
        assert "Flugdauer unbekannt" in text
        assert "Größte Höhe über Start –" in text
        assert "Keine Position bekannt." in text
        assert "keinem Einsatz zugeordnet" in text
        assert "Startplatz Position unbekannt" in text
    assert "svg" not in page.tags


def test_no_fix_is_no_place(tmp_path: Path) -> None:
    samples = [replace(each, lat_deg=0.0, lon_deg=0.0, fix="none") for each in circle(30)]
    html, _, _ = reported(source_of(flown_flight(tmp_path, samples), samples, []), tmp_path)
    assert "Keine Position bekannt." in html
    assert "Positionsmeldungen 0" in html


@pytest.mark.parametrize(
    "at", [Place(-17.0, 179.9995), Place(0.0003, 0.0003), Place(89.0, 10.0), Place(60.0, 5.0)]
)
def test_anywhere_on_earth(at: Place, tmp_path: Path) -> None:
    samples = circle(60, at)
    html, _, page = reported(source_of(flown_flight(tmp_path, samples), samples, []), tmp_path)
    assert ("svg" in page.tags) == (at.lat_deg < 84)
    distance = re.search(r"Startplatz (\d+) m", html)
    assert distance is not None
    assert int(distance[1]) < 400


def test_what_was_made_unrecognisable_is_said(whole: ExportSource, tmp_path: Path) -> None:
    order = msgspec.structs.replace(whole.order, regions={"marta-tag": (Region(0.1, 0.1, 0.2, 0.2),)})
    for text in reported(replace(whole, order=order), tmp_path)[:2]:
        assert text.count("unkenntlich gemacht") == 1


def test_what_happened_to_the_recording_is_said(whole: ExportSource, tmp_path: Path) -> None:
    mended = msgspec.structs.replace(whole.flight, ended_ns=None, repaired_ns=START_NS, lost_bytes=4711)
    for text in reported(replace(whole, flight=mended), tmp_path)[:2]:
        assert "am 22.11.2026 06:46:40 UTC (07:46:40 MEZ) in Ordnung gebracht; dabei wurden 4711 Byte" in text
        assert "Die Aufzeichnung ging weiter" in text


def test_letters_that_no_font_has_and_endless_words_are_borne(whole: ExportSource, tmp_path: Path) -> None:
    logbook = msgspec.structs.replace(whole.order.logbook, pilot="王 🚁 \x00\ud800", remarks="W" * 5000)
    order = msgspec.structs.replace(whole.order, logbook=logbook)
    html, pdf, _ = reported(replace(whole, order=order), tmp_path)
    assert "王 🚁" in html
    assert "? ?" in pdf
    assert "… (report.html)" in pdf


def test_thousands_of_events_are_counted(whole: ExportSource) -> None:
    events = [replace(happened()[5], utc_ns=START_NS + n) for n in range(1200)]
    facts = facts_of(replace(whole, events=events), ())
    tables = [
        block for block in document_of(facts, Form("de", BERLIN), None).blocks if isinstance(block, Table)
    ]
    assert len(tables[1].rows) == 1001
    assert tables[1].rows[-1][2] == "… und 200 weitere"


def test_the_same_facts_make_the_same_files(whole: ExportSource, tmp_path: Path) -> None:
    made = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        paths = make_report(whole, stills(tmp_path, 1), tmp_path / name, lambda _: None, zone=BERLIN)
        made.append([path.read_bytes() for path in paths])
    assert made[0] == made[1]


# --- when it took off and landed ----------------------------------------------------------------------------


def stands(*told: tuple[int, str | None, bool | None]) -> list[Stand]:
    return [Stand(utc_ns, landed, armed) for utc_ns, landed, armed in told]


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (stands(), Flown()),
        (stands((1, "on_ground", True), (2, "on_ground", False)), Flown(1, 2, By.ARMED)),
        (stands((1, "on_ground", True), (2, "takeoff", None), (3, "on_ground", None)),
         Flown(2, 3, By.LANDED)),
        (stands((1, "in_air", None), (2, None, None)), Flown(1, None, By.LANDED)),
        (stands((1, None, True), (5, None, False)), Flown(1, 5, By.ARMED)),
        (stands((1, "in_air", None), (2, "on_ground", None), (3, "in_air", None), (4, "on_ground", None)),
         Flown(1, 4, By.LANDED)),
    ],
)  # fmt: skip
def test_take_off_and_landing(told: list[Stand], expected: Flown) -> None:
    assert flown_by(told) == expected


# --- the map ------------------------------------------------------------------------------------------------


def test_the_grid_is_that_of_utmref() -> None:
    ends = [replace(HOME, lat_deg=HOME.lat_deg + by) for by in (-0.001, 0.002)]
    drawn = track_map([ends], [Mark(HOME, "S", Ink.TAKEOFF)])
    assert drawn is not None
    assert drawn.zone == 32
    assert drawn.square == "32U MV"
    x, y = drawn.dots[0].at  # 32U MV 1075 7744
    columns = {label.text: label.at[0] for label in drawn.labels if label.align == "middle"}
    rows = {label.text: label.at[1] for label in drawn.labels if label.align == "right"}
    assert drawn.step_m == 100
    assert columns["107"] < x < columns["108"]
    assert rows["775"] < y < rows["774"]
    assert all(0 <= px <= WIDTH_MM and 0 <= py <= HEIGHT_MM for line in drawn.lines for px, py in line.points)


def test_marks_at_one_place_are_one_dot_and_far_ones_are_left_out() -> None:
    far = Place(HOME.lat_deg + 1, HOME.lon_deg)
    marks = [Mark(HOME, "B1", Ink.STILL), Mark(HOME, "B2", Ink.STILL), Mark(far, "M1", Ink.MARKER)]
    drawn = track_map([[HOME]], marks)
    assert drawn is not None
    assert [dot.label for dot in drawn.dots] == ["B1, B2"]


def test_marks_alone_make_a_map() -> None:
    assert track_map([], [Mark(HOME, "M1", Ink.MARKER)]) is not None
    assert track_map([], []) is None


def test_a_gap_is_not_drawn_through(whole: ExportSource, tmp_path: Path) -> None:
    samples = [each for each in circle(120) if not 40 <= (each.utc_ns - START_NS) / NS_PER_S <= 60]
    reported(replace(whole, samples=lambda: iter(samples)), tmp_path)
    html = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert html.count('stroke="#0b57b7"') == 2


# --- words --------------------------------------------------------------------------------------------------


def test_alarms_are_said_as_the_page_says_them() -> None:
    words = "".join(
        (DASHBOARD / name).read_text("utf-8") for name in ("alarms/words.ts", "recordingWords.ts")
    )
    said = re.findall(r'"alarm\.(\w+)": \[\s*"([^"]*)",\s*"([^"]*)",?\s*\]', words)
    assert {code: (german, english) for code, german, english in said} == ALARMS


def test_a_night_has_two_days() -> None:
    form = Form("de", BERLIN)
    midnight_ns = START_NS // (86_400 * NS_PER_S) * 86_400 * NS_PER_S
    assert form.moment(midnight_ns - 1800 * NS_PER_S) == "21.11.2026 23:30:00 UTC (22.11.2026 00:30:00 MEZ)"
    assert Form("de", UTC).moment(midnight_ns) == "22.11.2026 00:00:00 UTC"
