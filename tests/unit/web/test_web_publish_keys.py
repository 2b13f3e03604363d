from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from flow.errors import ConfigError, RefusedError
from web.cli import main
from web.publish_addresses import WayIn, addresses_of, feed_named
from web.publish_keys import FILE, KEYS_PER_FEED, KeysFullError, PublishKeys
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
    assert len(addresses) == 3
    assert not any("0.0.0.0" in way.address for way in addresses)
    v6 = Settings(publish=PublishingSettings(host="::1"))
    assert addresses_of(FeedSettings("tag", "rtmp"), "k", v6) == [
        WayIn("rtmp", "rtmp://[::1]:1935/live/tag?key=k", local=True)
    ]


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
        publish=PublishingSettings(srt_passphrase="Zehn & mehr"),
        aircraft=(AircraftSettings("fritz", feed=(feed,)),),
    )
    (way,) = addresses_of(feed, "k", settings, with_passphrase=True)
    assert way.address.endswith("?streamid=publish:tag:k&passphrase=Zehn%20%26%20mehr")
    (way,) = addresses_of(feed, "k", settings)
    assert way.address.endswith("?streamid=publish:tag:k")
