"""Orders lie on the disk, and so outlive whoever took them."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from flow.errors import NotFoundError, TooManyError
from recordings.deletions import finish, finish_all
from recordings.entries import Deletion, Rule
from recordings.export.jobs import STARTS_MOST, WAITING_MOST, Job, JobShelf, JobStatus, new_job
from recordings.export.order import ExportOrder, Part, Region
from tests.fakes.clock import START_NS

FLIGHT = "20261122t064640z-fritz"
ORDER = ExportOrder(
    FLIGHT, 1, 2, ("tag",), (Part.CLIP,), "Meier", {"tag": (Region(0.1, 0.2, 0.3, 0.4),)}, language="en"
)


def shelf_with(root: Path, *jobs: Job) -> JobShelf:
    shelf = JobShelf(root)
    for job in jobs:
        shelf.add(job)
    return shelf


def test_what_was_ordered_is_read_back_the_newest_first(tmp_path: Path) -> None:
    older, newer = new_job(ORDER, START_NS), new_job(ORDER, START_NS + 1)
    shelf = shelf_with(tmp_path, older, newer)
    assert shelf.all() == [newer, older]
    assert shelf.get(older.id).order == ORDER


@pytest.mark.parametrize(
    "job_id", ["", "..", "../flights", "0" * 15, "0" * 17, "0" * 16, "/" + "0" * 15, "٠" * 16]
)
def test_what_is_no_id_is_no_export(tmp_path: Path, job_id: str) -> None:
    shelf = shelf_with(tmp_path)
    with pytest.raises(NotFoundError):
        shelf.get(job_id)


def test_what_was_given_up_is_not_begun_and_what_was_begun_not_given_up(tmp_path: Path) -> None:
    first, second = new_job(ORDER, 1), new_job(ORDER, 2)
    shelf = shelf_with(tmp_path, first, second)
    assert shelf.give_up(first.id, START_NS).status is JobStatus.CANCELLED
    assert shelf.begin(first.id) is None
    assert shelf.get(first.id).starts == 0
    begun = shelf.begin(second.id)
    assert begun is not None
    assert (begun.status, begun.starts) == (JobStatus.RUNNING, 1)
    assert shelf.give_up(second.id, START_NS) == begun


def test_only_so_many_wait(tmp_path: Path) -> None:
    shelf = shelf_with(tmp_path, *(new_job(ORDER, n) for n in range(WAITING_MOST)))
    with pytest.raises(TooManyError):
        shelf.add(new_job(ORDER, 99))
    shelf.put(replace(shelf.all()[0], status=JobStatus.CANCELLED))
    shelf.add(new_job(ORDER, 99))


def test_what_a_crash_left_is_made_anew_but_not_for_ever(tmp_path: Path) -> None:
    once, often = (replace(new_job(ORDER, n), status=JobStatus.RUNNING, starts=n) for n in (1, STARTS_MOST))
    shelf = shelf_with(tmp_path, once, often)
    for job in (once, often):
        shelf.parts_folder(job.id).mkdir()
        shelf.zip_path(job.id).with_suffix(".zip.new").write_bytes(b"half")
    halfway = tmp_path / "exports" / ("f" * 16)
    (halfway / "parts").mkdir(parents=True)
    strange = tmp_path / "exports" / "notes of mine"
    strange.mkdir()
    shelf.recover(START_NS)
    assert (shelf.get(once.id).status, shelf.get(often.id).status) == (JobStatus.WAITING, JobStatus.FAILED)
    assert (shelf.get(often.id).reason, shelf.get(often.id).ended_ns) == ("interrupted", START_NS)
    assert [path.name for path in (tmp_path / "exports" / once.id).iterdir()] == ["job.json"]
    assert (halfway.exists(), strange.exists()) == (False, True)


def test_one_that_was_removed_does_not_come_back(tmp_path: Path) -> None:
    job = new_job(ORDER, START_NS)
    shelf = shelf_with(tmp_path, job)
    shelf.zip_path(job.id).write_bytes(b"zip")
    shelf.remove(job.id)
    with pytest.raises(NotFoundError):
        shelf.put(job)
    assert shelf.all() == []


def test_exports_go_after_their_days_and_links_are_not_followed(tmp_path: Path) -> None:
    old, new = (replace(new_job(ORDER, n), status=JobStatus.DONE, ended_ns=n) for n in (1, 3))
    shelf = shelf_with(tmp_path, old, new)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (tmp_path / "exports" / ("a" * 16)).symlink_to(elsewhere)
    shelf.remove_ended(2)
    shelf.recover(START_NS)
    assert shelf.all() == [new]
    assert elsewhere.exists()


def test_all_that_was_made_of_a_flight_goes_with_it(tmp_path: Path) -> None:
    other = new_job(replace(ORDER, flight_id="20261122t064640z-otto"), START_NS)
    shelf = shelf_with(tmp_path, new_job(ORDER, START_NS), other)
    made = [tmp_path / "thumbnails" / f"{FLIGHT}.jpg", tmp_path / "renditions" / FLIGHT / "tag.0001-1.mp4"]
    for path in made:
        path.parent.mkdir(parents=True)
        path.write_bytes(b"made")
    damaged = tmp_path / "exports" / ("b" * 16)
    damaged.mkdir()
    (damaged / "export.zip").write_bytes(b"pictures")
    (damaged / "job.json").write_bytes(b"")
    (tmp_path / ".trash").mkdir()
    finish(tmp_path, FLIGHT)
    assert shelf.all() == [other]
    assert not damaged.exists()
    assert not any(path.exists() for path in made)


def test_one_whose_days_are_over_and_stays_keeps_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    older, stuck = (replace(new_job(ORDER, n), status=JobStatus.DONE, ended_ns=n) for n in (1, 2))
    shelf, removed = shelf_with(tmp_path, older, stuck), JobShelf.remove

    def refuses(self: JobShelf, job_id: str) -> None:
        if job_id == stuck.id:
            raise PermissionError(1, "not permitted")
        removed(self, job_id)

    monkeypatch.setattr(JobShelf, "remove", refuses)
    shelf.remove_ended(3)
    assert shelf.all() == [stuck]


def test_a_deletion_that_fails_holds_up_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of two flights were interrupted; an export of the first cannot be removed."""
    flights, removed = [f"20261122t064640z-{name}" for name in ("anna", "fritz")], JobShelf.remove_of
    for flight_id in flights:
        deletion = Deletion("d", flight_id, "a", 1, 2, "", 0, 0, START_NS, Rule.PERSON, "Meier", "")
        document = tmp_path / ".trash" / f"{flight_id}.json"
        document.parent.mkdir(exist_ok=True)
        document.write_bytes(msgspec.json.encode(deletion))
    shelf = shelf_with(tmp_path, *(new_job(replace(ORDER, flight_id=each), START_NS) for each in flights))

    def refuses(self: JobShelf, flight_id: str) -> None:
        if flight_id == flights[0]:
            raise PermissionError(1, "not permitted")
        removed(self, flight_id)

    monkeypatch.setattr(JobShelf, "remove_of", refuses)
    finish_all(tmp_path)
    assert [job.order.flight_id for job in shelf.all()] == flights[:1]
    assert [path.stem for path in (tmp_path / ".trash").iterdir()] == flights[:1]
