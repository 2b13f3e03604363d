"""Ground stations read along, and nothing that anybody sends ever comes to an aircraft."""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from pymavlink import mavutil
from pymavlink.dialects.v20 import ardupilotmega as dialect

from flow.bus import Bus
from flow.clock import SystemClock
from flow.memory_bus import MemoryBus
from flow.samples import ForwardState, LinkState, LinkStatus
from simulator import mission
from simulator.aircraft import true_state
from simulator.flightpath import pose_at
from telemetry.link import Telemetry
from telemetry.settings import AircraftLink, Sharing, TelemetrySettings
from tests.fakes.recording_aircraft import RecordingAircraft, at_a_serial_port, copter, demo, sending, waiting
from tests.interop.ground_station import mavproxy
from web.service import running_service
from web.settings import AircraftSettings, RecordingSettings, ServerSettings, Settings, WebRtcSettings

SERIAL = importlib.util.find_spec("telemetry.serial_port") is not None
DEADLINE_S = 20.0
REMOVE_FILE = 8  # an opcode of MAVLink FTP
SHARES = ("tcpin:127.0.0.1:0", "udpin:127.0.0.1:0")


async def until(bus: Bus, kind: Any, key: str, holds: Callable[[Any], Any]) -> Any:
    async with asyncio.timeout(DEADLINE_S):
        with bus.latest(kind, key) as states:
            async for state in states:
                if holds(state):
                    return state
    raise AssertionError("the bus was closed")


def settings(tcp_port: int, device: str) -> Settings:
    """An aircraft by each kind of link, all of them shared."""
    links = {"udp": "udpin:127.0.0.1:0", "caller": "tcpin:127.0.0.1:0", "called": f"tcp:127.0.0.1:{tcp_port}"}
    links |= {"serial": f"serial:{device}:57600"} if SERIAL else {}
    return Settings(
        ServerSettings(port=0),
        webrtc=WebRtcSettings(port=0),
        aircraft=tuple(
            AircraftSettings(name, mavlink=url, system_id=number, forward=SHARES)
            for number, (name, url) in enumerate(links.items(), 1)
        ),
        recording=RecordingSettings(enabled=False),
    )


def command_everything(station: mavutil.mavfile, system: int) -> None:
    """Nine of what would move an aircraft; the last one is FILE_TRANSFER_PROTOCOL."""
    mav, arm = station.mav, dialect.MAV_CMD_COMPONENT_ARM_DISARM
    mav.heartbeat_send(dialect.MAV_TYPE_GCS, dialect.MAV_AUTOPILOT_INVALID, 0, 0, 0)
    mav.command_long_send(system, 1, arm, 0, 1, 0, 0, 0, 0, 0, 0)
    mav.command_int_send(system, 1, 0, dialect.MAV_CMD_DO_REPOSITION, 0, 0, 0, 0, 0, 0, 0, 0, 0)
    mav.set_mode_send(system, 1, 6)
    mav.param_set_send(system, 1, b"RTL_ALT", 1.0, 9)
    mav.mission_count_send(system, 1, 2)
    mav.mission_item_int_send(system, 1, 0, 0, 16, 0, 1, 0, 0, 0, 0, 0, 0, 0)
    mav.manual_control_send(system, 1000, 0, 0, 0, 0)
    mav.rc_channels_override_send(system, 1, *[1900] * 8)
    mav.file_transfer_protocol_send(0, system, 1, [0, 0, 0, REMOVE_FILE] + [0] * 247)


async def test_no_byte_ever_goes_to_an_aircraft(tmp_path: Path) -> None:
    says = {"udp": copter(1), "caller": copter(2), "called": demo(3), "serial": copter(4)}
    aircraft = {name: RecordingAircraft(messages) for name, messages in says.items()}
    async with contextlib.AsyncExitStack() as outside:
        port = await outside.enter_async_context(waiting(aircraft["called"]))
        device = outside.enter_context(at_a_serial_port(aircraft["serial"]))
        service = await outside.enter_async_context(running_service(settings(port, device)))
        bus = service.bus
        async with contextlib.AsyncExitStack() as stack:
            for name in ("udp", "caller"):
                link = await until(bus, LinkState, name, lambda state: state.address)
                await stack.enter_async_context(sending(aircraft[name], link.address))
            group = await stack.enter_async_context(asyncio.TaskGroup())
            names = list(aircraft) if SERIAL else list(aircraft)[:3]
            flights = [group.create_task(aircraft[name].fly()) for name in names]
            for number, name in enumerate(names, 1):
                await until(bus, LinkState, name, lambda state: state.status is LinkStatus.LIVE)
                await command_by_pymavlink(bus, name, number)
            await command_by_mavproxy(bus, "called", tmp_path)
            for flight in flights:
                flight.cancel()
        assert {name: each.received for name, each in aircraft.items()} == dict.fromkeys(aircraft, b"")


async def command_by_pymavlink(bus: Bus, name: str, system: int) -> None:
    shared = await until(bus, ForwardState, name, lambda state: len(state.addresses) == len(SHARES))
    for address in shared.addresses:
        url = address.replace("tcpin", "tcp").replace("udpin", "udpout")
        before = bus.peek(ForwardState, name)
        assert before is not None
        station = await asyncio.to_thread(mavutil.mavlink_connection, url, source_system=250)
        try:
            command_everything(station, system)
            state = await until(bus, ForwardState, name, partial(_has_counted, before.commands + 9))
            assert state.last_command.split(" from ")[0] == "FILE_TRANSFER_PROTOCOL"
            heard = await asyncio.to_thread(
                station.recv_match, type="GLOBAL_POSITION_INT", blocking=True, timeout=DEADLINE_S
            )
            assert heard, f"{address} tells nothing: {bus.peek(ForwardState, name)}"
            assert heard.get_srcSystem() == system  # and it reads along
        finally:
            station.close()


async def command_by_mavproxy(bus: Bus, name: str, home: Path) -> None:
    shared = bus.peek(ForwardState, name)
    assert shared is not None
    before = shared.commands
    async with mavproxy(shared.addresses[0].replace("tcpin", "tcp"), home) as station:
        await station.says("online system 3")
        await station.says(f"Mode {mission.mode_at(5.0).name}")
        told = await station.status("GLOBAL_POSITION_INT")
        flown = true_state(pose_at(told["time_boot_ms"] / 1000))
        assert (told["lat"], told["relative_alt"]) == (
            round(flown.lat_deg * 1e7),
            round(flown.height_m * 1000),
        )
        station.type("param show RTL_ALT")
        await station.says("RTL_ALT")
        for line, expected in (
            ("arm throttle", "COMMAND_LONG COMPONENT_ARM_DISARM"),
            ("mode RTL", "DO_SET_MODE"),
            ("param set RTL_ALT 2000", "PARAM_SET"),
            ("takeoff 10", "TAKEOFF"),
        ):
            station.type(line)
            await until(bus, ForwardState, name, partial(_was_told, expected))
        station.type("wp list")  # asks to be told; it does so by itself, too, sooner or later
        state = await until(bus, ForwardState, name, lambda s: s.requests > 0)
        assert state.commands >= before + 4


def _has_counted(commands: int, state: ForwardState) -> bool:
    return state.commands >= commands


def _was_told(name: str, state: ForwardState) -> bool:
    return name in state.last_command


async def test_mavproxy_shows_a_real_flight(feeds: Path, tmp_path: Path) -> None:
    """The values are those that pymavlink reads out of the log."""
    log = feeds / "telemetry" / "copter_real_cmac_2015.tlog"
    bus, url = MemoryBus(), f"tlog:{log}"
    share = Sharing("fritz", ("tcpin:127.0.0.1:0",))
    telemetry = Telemetry(
        bus, SystemClock(), TelemetrySettings((AircraftLink("fritz", url),), sharing=(share,))
    )
    running = asyncio.ensure_future(telemetry.run())
    try:
        state = await until(bus, ForwardState, "fritz", lambda s: s.addresses)
        async with mavproxy(state.addresses[0].replace("tcpin", "tcp"), tmp_path) as station:
            await station.says("online system 1")
            await station.says("Mode STABILIZE")
            told = await station.status("GPS_RAW_INT")
        logged = _messages(log, "GPS_RAW_INT", 200)
        assert any(told["lat"] == m.lat and told["lon"] == m.lon for m in logged)
    finally:
        running.cancel()
        await asyncio.wait([running])
        await bus.aclose()


def _messages(log: Path, kind: str, most: int) -> list[Any]:
    reader = mavutil.mavlink_connection(str(log))
    try:
        found = (reader.recv_match(type=kind) for _ in range(most))
        return [message for message in found if message]
    finally:
        reader.close()
