"""`lagebild doctor` on who can log in."""

from __future__ import annotations

from pathlib import Path

from tests.fakes.accounts import make_account
from web.access import Role
from web.access.store import FILE
from web.doctor_accounts import check_accounts
from web.doctor_report import Finding, Level
from web.settings import AccessSettings, ServerSettings, Settings


def check(root: Path, *, this_machine: bool = False) -> Finding:
    return check_accounts(
        Settings(server=ServerSettings(data_dir=str(root)), access=AccessSettings(this_machine=this_machine))
    )


def test_where_only_this_machine_calls_nobody_need_log_in(tmp_path: Path) -> None:
    assert check(tmp_path, this_machine=True).level is Level.OK
    assert list(tmp_path.iterdir()) == []


def test_an_administrator_is_wanted_where_others_call(tmp_path: Path) -> None:
    make_account(tmp_path, "wolf", Role.PILOT)
    finding = check(tmp_path)
    assert (finding.level, "no administrator" in finding.what) == (Level.WARN, True)
    assert "lagebild account add" in finding.todo
    make_account(tmp_path, "chef", Role.ADMINISTRATOR)
    assert (check(tmp_path).level, check(tmp_path).what) == (Level.OK, "2 can log in")


def test_a_file_that_is_none_is_told(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text("no database at all, and long enough to be looked at " * 20)
    finding = check(tmp_path)
    assert (finding.level, str(tmp_path / FILE) in finding.what) == (Level.FAIL, True)
