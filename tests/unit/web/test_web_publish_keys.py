from __future__ import annotations

import json
import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from flow.errors import ConfigError, RefusedError
from tests.fakes.clock import FakeClock
from web.cli import main
from web.key_watch import KeyWatch
from web.publish_addresses import WayIn, addresses_of, feed_named
from web.publish_keys import FILE, KEYS_PER_FEED, KeysFullError, KeyStanding, PublishKeys
from web.settings import (
    AircraftSettings,
    FeedSettings,
    PublishingSettings,
    ServerSettings,
    Settings,
)


def refusal(keys: PublishKeys, feed_id: str, key: str) -> str:
    with pytest.raises(RefusedError) as refused:
        keys.check(feed_id, key)
    assert not key or key not in str(refused.value)
    return refused.value.code


def test_a_key_opens_its_feed_and_no_other(tmp_path: Path) -> None:
    keys = PublishKeys(tmp_path / "data")
    key, other = keys.make("fritz"), keys.make("otto")
    keys.check("fritz", key)
    keys.check("otto", other)
    assert refusal(keys, "fritz", other) == "key_foreign"
    assert refusal(keys, "fritz", key[:-1]) == refusal(keys, "fritz", "k\udcff") == "key_wrong"
    assert refusal(keys, "nobody", "x" * 27) == "key_wrong"
    assert refusal(keys, "fritz", "") == "key_missing"


def test_only_hashes_are_kept_and_only_for_this_user(tmp_path: Path) -> None:
    key = PublishKeys(tmp_path).make("fritz")
    file = tmp_path / FILE
    assert key not in file.read_text()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_running_service_sees_what_is_made_and_withdrawn_beside_it(tmp_path: Path) -> None:
    service, command = PublishKeys(tmp_path), PublishKeys(tmp_path)
    assert refusal(service, "fritz", "x" * 27) == "key_wrong"
    first, second = command.make("fritz"), command.make("fritz")
    service.check("fritz", first)
    service.check("fritz", second)
    assert command.withdraw("fritz") == 2
    assert refusal(service, "fritz", first) == refusal(service, "fritz", second) == "key_wrong"
    assert (service.count("fritz"), command.withdraw("fritz")) == (0, 0)


def test_keys_are_bounded(tmp_path: Path) -> None:
    keys = PublishKeys(tmp_path)
    for _ in range(KEYS_PER_FEED):
        keys.make("fritz")
    with pytest.raises(KeysFullError, match="withdraw"):
        keys.make("fritz")


def test_rotated_keys_let_nobody_in_and_are_known(tmp_path: Path) -> None:
    service, command = PublishKeys(tmp_path), PublishKeys(tmp_path)
    first, other = command.make("fritz"), command.make("otto")
    assert service.standing("fritz", first) is KeyStanding.CURRENT
    second, rotated = command.rotate("fritz")
    assert rotated == 1
    assert refusal(service, "fritz", first) == "key_wrong"
    service.check("fritz", second)
    service.check("otto", other)
    assert service.standing("fritz", first) is KeyStanding.ROTATED
    assert (service.count("fritz"), service.standing("fritz", "x")) == (1, KeyStanding.WITHDRAWN)
    third, _ = command.rotate("fritz")
    assert [service.standing("fritz", key).value for key in (first, second, third)] == [
        "rotated",
        "rotated",
        "current",
    ]
    assert command.withdraw("fritz") == 1
    assert {service.standing("fritz", key) for key in (first, second, third)} == {KeyStanding.WITHDRAWN}


def test_rotated_keys_do_not_fill_the_file(tmp_path: Path) -> None:
    keys = PublishKeys(tmp_path)
    made = [keys.rotate("fritz")[0] for _ in range(3 * KEYS_PER_FEED)]
    assert len(json.loads((tmp_path / FILE).read_text())["fritz"]) <= KEYS_PER_FEED + 1
    assert keys.standing("fritz", made[-2]) is KeyStanding.ROTATED
    keys.check("fritz", made[-1])


class Publishing:
    """One feed, to which somebody sends with `key`."""

    def __init__(self, key: str) -> None:
        self.key = key

    def key_in_use(self, feed_id: str) -> str:
        return self.key

    def dismiss(self, feed_id: str) -> None:
        self.key = ""


def test_who_sends_is_cut_off_when_his_key_is_withdrawn_and_not_when_it_is_rotated(tmp_path: Path) -> None:
    service, command = PublishKeys(tmp_path), PublishKeys(tmp_path)
    publishing = Publishing(command.make("fritz"))
    watch = KeyWatch(service, publishing, ["fritz"], FakeClock())
    command.rotate("fritz")
    watch.look()
    assert watch.of_publisher("fritz") is KeyStanding.ROTATED
    command.withdraw("fritz")
    watch.look()
    assert (publishing.key, watch.of_publisher("fritz")) == ("", None)


@pytest.mark.parametrize("broken", [None, "{"])
def test_nobody_is_cut_off_because_the_file_cannot_be_had(tmp_path: Path, broken: str | None) -> None:
    keys = PublishKeys(tmp_path)
    publishing = Publishing(keys.make("fritz"))
    if broken is None:
        (tmp_path / FILE).unlink()
    else:
        (tmp_path / FILE).write_text(broken)
    KeyWatch(keys, publishing, ["fritz"], FakeClock()).look()
    assert publishing.key


@pytest.mark.parametrize("text", ["[]", "{", '{"fritz": 7}', "\x00"])
def test_a_broken_file_is_named_and_lets_nobody_in(tmp_path: Path, text: str) -> None:
    (tmp_path / FILE).write_text(text)
    with pytest.raises(ConfigError, match=FILE):
        PublishKeys(tmp_path).check("fritz", "x")


def test_the_command_shows_the_key_once_with_what_to_type(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "lagebild.toml"
    config.write_text(
        f"""[server]
data_dir = "{tmp_path}/data"
[[aircraft]]
id = "fritz"
[[aircraft.feed]]
id = "tag"
source = "push"
[[aircraft.feed]]
id = "roh"
source = "rtp://127.0.0.1:5600"
"""
    )
    assert main(["key", "tag", "--config", str(config)]) == 0
    said = capsys.readouterr().out
    key = said.splitlines()[0].rpartition(" ")[2]
    PublishKeys(tmp_path / "data").check("tag", key)
    assert f"srt://127.0.0.1:8890?streamid=publish:tag:{key}" in said
    assert f"rtmp://127.0.0.1:1935/live/tag?key={key}" in said
    assert main(["key", "tag", "--rotate", "--config", str(config)]) == 0
    said = capsys.readouterr().out
    assert "the older one lets nobody in any more; who sends with it goes on" in said
    assert refusal(PublishKeys(tmp_path / "data"), "tag", key) == "key_wrong"
    key = said.splitlines()[0].rpartition(" ")[2]
    PublishKeys(tmp_path / "data").check("tag", key)
    assert main(["key", "tag", "--withdraw", "--config", str(config)]) == 0
    assert key not in capsys.readouterr().out
    for feed, what in (("roh", "needs no key"), ("nobody", "there are: tag, roh")):
        assert main(["key", feed, "--config", str(config)]) == 2
        assert what in capsys.readouterr().err


def test_addresses_name_a_host_that_others_can_reach() -> None:
    feed = FeedSettings("tag", "push")
    everywhere = Settings(
        server=ServerSettings(host="0.0.0.0"), aircraft=(AircraftSettings("fritz", feed=(feed,)),)
    )
    assert feed_named("tag", everywhere) is feed
    addresses = addresses_of(feed, "k", everywhere)
    assert [way.protocol for way in addresses] == ["srt", "rtmp", "whip", "camera"]
    assert not any("0.0.0.0" in way.address for way in addresses)
    v6 = Settings(publish=PublishingSettings(host="::1"))
    assert addresses_of(FeedSettings("tag", "rtmp"), "k", v6) == [
        WayIn("rtmp", "rtmp://[::1]:1935/live/tag?key=k", local=True)
    ]


TWO_FEEDS = """
[[aircraft]]
id = "fritz"
  [[aircraft.feed]]
  id = "tag"
  source = "rtmp"
"""


def test_the_command_finds_the_configuration_of_its_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`lagebild key tag` as it is written in docs/ingest.md and in the doctor's hints."""
    monkeypatch.chdir(tmp_path)
    assert main(["key", "tag"]) == 2
    assert "is --config missing?" in capsys.readouterr().err
    (tmp_path / "lagebild.toml").write_text(TWO_FEEDS)
    assert main(["key", "tag"]) == 0
    assert PublishKeys(tmp_path / "data").count("tag") == 1
    other = tmp_path / "other.toml"
    other.write_text(TWO_FEEDS.replace("tag", "nacht"))
    assert main(["key", "tag", "--config", str(other)]) == 2  # what is named counts


def test_keys_lie_beside_the_configuration_wherever_they_are_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "rel.toml").write_text("[server]\ndata_dir = 'here/keys'\n" + TWO_FEEDS)
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        monkeypatch.chdir(tmp_path / name)
        assert main(["key", "tag", "--config", "../rel.toml"]) == 0
        PublishKeys(tmp_path / "here" / "keys").check("tag", capsys.readouterr().out.split()[6])
        assert list(Path().iterdir()) == []
    assert PublishKeys(tmp_path / "here" / "keys").count("tag") == 2


@pytest.mark.parametrize(("made", "told"), [(0, "had no key"), (1, "its key"), (2, "its 2 keys")])
def test_what_is_withdrawn_is_told_in_one_language(
    tmp_path: Path, made: int, told: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("lagebild.toml").write_text(TWO_FEEDS)
    for _ in range(made):
        assert main(["key", "tag"]) == 0
        assert capsys.readouterr().out.startswith("Key for 'tag', shown only now: ")
    assert main(["key", "tag", "--withdraw"]) == 0
    assert capsys.readouterr().out.rstrip().endswith(f"feed 'tag' {'has lost ' if made else ''}{told}")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root makes files for somebody else")
@pytest.mark.parametrize("before", ["nothing", "a key of its own", "what root left", "a folder of root's"])
def test_keys_that_root_makes_are_the_service_s(tmp_path: Path, before: str) -> None:
    """`sudo lagebild key` must not lock out a service that runs as somebody else."""
    nobody, home = 65534, tmp_path / "lagebild"
    home.mkdir()
    os.chown(home, nobody, nobody)
    folder = home / "data" / "deeper"
    if before != "nothing":
        PublishKeys(folder).make("tag")
    if before == "what root left":
        for each in (FILE, "publish-keys.lock"):
            os.chown(folder / each, 0, 0)
    if before == "a folder of root's":
        os.chown(folder, 0, nobody)
    key = PublishKeys(folder).make("tag")
    PublishKeys(folder).check("tag", key)
    files = [folder / FILE, folder / "publish-keys.lock"]
    assert {(each.stat().st_uid, stat.S_IMODE(each.stat().st_mode)) for each in files} == {(nobody, 0o600)}
    assert {each.stat().st_uid for each in (home / "data", folder)} <= {nobody, folder.stat().st_uid}
    assert (home / "data").stat().st_uid == nobody


def test_a_file_left_by_somebody_who_was_interrupted_is_in_nobody_s_way(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text("mine")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "publish-keys.part").symlink_to(elsewhere)
    key = PublishKeys(tmp_path / "data").make("tag")
    PublishKeys(tmp_path / "data").check("tag", key)
    assert elsewhere.read_text() == "mine"


def test_service_and_command_lose_no_key_of_each_other(tmp_path: Path) -> None:
    writers = [PublishKeys(tmp_path) for _ in range(4)]
    with ThreadPoolExecutor(len(writers)) as threads:
        made = [
            (feed_id, threads.submit(writer.make, feed_id))
            for feed_id in ("fritz", "otto", "mast")
            for writer in writers
        ]
    for feed_id, key in made:
        PublishKeys(tmp_path).check(feed_id, key.result())


def test_the_address_for_srt_holds_the_passphrase_only_on_request() -> None:
    feed = FeedSettings("tag", "srt")
    settings = Settings(
        publish=PublishingSettings(srt_passphrase="Zehn-und_mehr.~"),
        aircraft=(AircraftSettings("fritz", feed=(feed,)),),
    )
    (way,) = addresses_of(feed, "k", settings, with_passphrase=True)
    assert way.address.endswith("?streamid=publish:tag:k&passphrase=Zehn-und_mehr.~")
    (way,) = addresses_of(feed, "k", settings)
    assert way.address.endswith("?streamid=publish:tag:k")
