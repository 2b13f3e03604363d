"""Settings of the whole service, as `lagebild.toml` and the environment give them (settings_file.py)."""

from __future__ import annotations

from dataclasses import dataclass, field

from flow.flights import Aircraft, Feed, Unsecured

from .unsecured import how_unsecured


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """Where the service listens. Beyond 127.0.0.1 only when told so."""

    host: str = "127.0.0.1"
    port: int = 8080
    names: tuple[str, ...] = ()  # host names the page may be called by, beside addresses and localhost
    title: str = ""  # shown in the bar of every page, such as the incident's name
    log_level: str = "info"
    data_dir: str = "data"  # keys, and what is recorded; counted from the configuration file's folder
    proxies: tuple[str, ...] = ()  # addresses or networks of reverse proxies: their X-Forwarded-* is believed


@dataclass(frozen=True, slots=True)
class TlsSettings:
    """How the page is encrypted. Beyond 127.0.0.1 it always is, by us or by a proxy."""

    certificate: str = ""  # PEM file, with the chain; "": beyond 127.0.0.1 one is made, kept in `data_dir`
    key: str = ""  # PEM file


@dataclass(frozen=True, slots=True)
class AccessSettings:
    """Who may come in without more ado, and for how long people stay logged in."""

    this_machine: bool = True  # who calls from this machine may do everything, while nobody else can call
    session_days: float = 30.0  # a device stays logged in
    link_hours: float = 24.0  # incident links, unless said otherwise when they are made


@dataclass(frozen=True, slots=True)
class OidcSettings:
    """Accounts of the city's own OpenID Connect provider."""

    issuer: str = ""  # "https://login.example/realms/feuerwehr"; "": local accounts only
    name: str = ""  # on the login button
    client_id: str = ""
    client_secret: str = field(default="", repr=False)
    ca: str = ""  # PEM file: who signed the provider's certificate, where the system does not know them
    origins: tuple[str, ...] = ()  # others that its discovery document may name: "https://keys.example"
    scopes: tuple[str, ...] = ("profile",)  # asked for beside "openid"
    roles_claim: str = "roles"  # of the ID token, or the user info; dots lead into it: "realm_access.roles"
    viewer: tuple[str, ...] = ()  # what the claim says of whom
    pilot: tuple[str, ...] = ()
    dispatcher: tuple[str, ...] = ()
    administrator: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PrivacySettings:
    """What the notice on privacy (Art. 13 GDPR) and the record of processing (Art. 30) say."""

    notice: str = ""  # Markdown file with the city's own text; "": one made from what stands here
    controller: str = ""  # who answers for it: "Stadt Kaiserslautern, Referat Feuerwehr, …"
    officer: str = ""  # the data protection officer, and how to reach him
    authority: str = ""  # whom one complains to
    audit_days: float = 730.0  # the audit log is kept so long, by months


@dataclass(frozen=True, slots=True)
class PictureSettings:
    """When the page calls a picture what (design: states of the picture)."""

    live_age_ms: int = 1000  # LIVE up to this age, VERZÖGERT above
    freeze_ms: int = 1000  # EINGEFROREN after this long without a new displayed picture
    lost_ms: int = 10_000  # KEIN SIGNAL: ingest gives the source up
    recover_ms: int = 500  # back to LIVE only after this long


@dataclass(frozen=True, slots=True)
class WebRtcSettings:
    """Where browsers get the picture from: one port for all viewers."""

    port: int = 8189  # UDP and TCP; 0: the kernel chooses
    public_host: str = ""  # address or name that forwards this port to us, offered beside our own addresses
    tcp: bool = True  # for networks that let no UDP through


@dataclass(frozen=True, slots=True)
class PublishingSettings:
    """Where publishers bring pictures to: feeds whose `source` is "rtmp", "srt", "whip" or "push"."""

    host: str = ""  # "": that of the page
    rtmp_port: int = 1935
    srt_port: int = 8890
    srt_latency_ms: int = 120  # how long SRT may take to repair loss; all of it is delay
    srt_passphrase: str = ""  # 10 to 79 unreserved characters of RFC 3986; "": not encrypted


@dataclass(frozen=True, slots=True)
class EncodingSettings:
    """How pictures are made that browsers can show (`web`) and that narrow ways carry (`low`)."""

    encoder: str = "libx264"  # libav's name of an H.264 encoder; only libx264 is tested
    preset: str = "superfast"  # of x264: ultrafast costs the least of the processor, veryfast fewer bits


@dataclass(frozen=True, slots=True)
class ViewerSettings:
    """How many may watch."""

    per_feed: int = 400
    per_address: int = 100  # from one IP address, on all feeds


@dataclass(frozen=True, slots=True)
class HealthSettings:
    """Whether decoded pictures are looked at: black, frozen, covered, blurred."""

    enabled: bool = True  # false: nor are flights shown or deleted, but by `lagebild flights`


@dataclass(frozen=True, slots=True)
class RecordingSettings:
    """Every flight is kept, for so long, in `server.data_dir`."""

    enabled: bool = True  # false: nor are flights shown or deleted, but by `lagebild flights`
    einsatz_days: float = 60.0  # kept after a flight, also of one that belongs to no incident
    uebung_days: float = 30.0
    reserve_mb: int = 1024  # of the disk; never filled
    warn_hours: float = 12.0  # warned when the disk will be full within this time
    export_days: float = 14.0  # exports are removed so long after they were made, and with their flight
    einsatz: tuple[str, ...] = ("pictures", "telemetry")  # what is recorded, unless the incident says it
    uebung: tuple[str, ...] = ("pictures", "telemetry")
    no_incident: tuple[str, ...] = ("pictures", "telemetry")  # of flights that belong to none


@dataclass(frozen=True, slots=True)
class MapSettings:
    """What lies under the map, and the ground that pictures are laid on."""

    background: str = ""  # "": the metre grid alone; "file:karte.pmtiles", or an address with {z} {x} {y}
    attribution: str = ""  # shown on the map, as the map's owner wants it
    most_zoom: int = 19  # of the background; beyond it is enlarged
    terrain: tuple[str, ...] = ()  # height models: GeoTIFF or .hgt files, or folders of them; (): flat


@dataclass(frozen=True, slots=True)
class CotSettings:
    """Cursor on Target for TAK."""

    to: tuple[str, ...] = ()  # "udp://239.2.3.1:6969", "tcp://tak.example:8087", "tls://tak.example:8089"
    every_s: float = 1.0
    stale_s: float = 10.0  # so long after its last event a TAK client takes an aircraft for gone
    ca: str = ""  # PEM file: who signed the TAK server's certificate
    certificate: str = ""  # PEM file: ours, with which a TAK server admits us
    key: str = ""  # PEM file


@dataclass(frozen=True, slots=True)
class AlarmSettings:
    """When an aircraft's telemetry is worth a warning, and when an alarm."""

    battery_warning_pct: float = 30.0
    battery_alarm_pct: float = 20.0
    battery_alarm_v: float | None = None  # for packs that tell no percentage
    link_warning_pct: float = 40.0
    link_alarm_pct: float = 20.0
    telemetry_age_s: float = 5.0  # no message for so long, in flight


@dataclass(frozen=True, slots=True)
class FeedSettings:
    """One camera."""

    id: str
    source: str
    name: str = ""
    fps: float | None = None  # only for raw .h264 files, which do not say
    loop: bool = False  # files only
    trust_clock: bool = False  # its RTCP sender reports carry a true UTC capture time
    allow_from: tuple[str, ...] = ()
    takeover: bool = False  # a newer publisher displaces one that still sends
    transport: str = "auto"  # of RTSP: "udp", "tcp", "auto" (UDP first)
    air_link_ms: float = 0.0
    hfov_deg: float | None = None
    mount_pitch_deg: float | None = None
    thermal: bool = False  # it sees heat: nobody is recognised in its pictures
    ts_out: str = ""  # "udp://239.0.0.1:5004": MPEG-TS with KLV (MISB ST 0601), for FMV and TAK tools


@dataclass(frozen=True, slots=True)
class AircraftSettings:
    """One aircraft, its telemetry link and its cameras."""

    id: str
    name: str = ""
    mavlink: str = ""
    system_id: int | None = None
    allow_from: tuple[str, ...] = ()
    signing_key: str = field(default="", repr=False)  # of MAVLink 2: 64 hex digits, or a passphrase
    telemetry: str = ""  # instead of mavlink: "feed:FEED", what comes within its stream, or "srt:FILE"
    forward: tuple[str, ...] = ()  # where ground stations read along: "udpout:HOST:PORT", "tcpin:HOST:PORT"
    forward_allow_from: tuple[str, ...] = ()
    alarms: AlarmSettings = field(default_factory=AlarmSettings)
    feed: tuple[FeedSettings, ...] = ()

    @property
    def telemetry_url(self) -> str:
        """Where its telemetry comes from, whichever way; "": nowhere."""
        return self.mavlink or self.telemetry

    def as_aircraft(self) -> Aircraft:
        return Aircraft(
            self.id,
            self.name or self.id,
            tuple(
                Feed(
                    f.id,
                    self.id,
                    f.name or f.id,
                    f.air_link_ms,
                    f.hfov_deg,
                    f.mount_pitch_deg,
                    how_unsecured(f.source),
                    thermal=f.thermal,
                )
                for f in self.feed
            ),
            None if self.signing_key else self._telemetry_unsecured(),
        )

    def _telemetry_unsecured(self) -> Unsecured | None:
        """Within the stream of a feed it is as trustworthy as that is."""
        carriers = (feed.source for feed in self.feed if self.telemetry == f"feed:{feed.id}")
        return how_unsecured(next(carriers, self.mavlink))


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything `lagebild.toml` can say."""

    server: ServerSettings = field(default_factory=ServerSettings)
    picture: PictureSettings = field(default_factory=PictureSettings)
    webrtc: WebRtcSettings = field(default_factory=WebRtcSettings)
    publish: PublishingSettings = field(default_factory=PublishingSettings)
    encode: EncodingSettings = field(default_factory=EncodingSettings)
    viewers: ViewerSettings = field(default_factory=ViewerSettings)
    health: HealthSettings = field(default_factory=HealthSettings)
    recording: RecordingSettings = field(default_factory=RecordingSettings)
    map: MapSettings = field(default_factory=MapSettings)
    cot: CotSettings = field(default_factory=CotSettings)
    tls: TlsSettings = field(default_factory=TlsSettings)
    access: AccessSettings = field(default_factory=AccessSettings)
    oidc: OidcSettings = field(default_factory=OidcSettings)
    privacy: PrivacySettings = field(default_factory=PrivacySettings)
    aircraft: tuple[AircraftSettings, ...] = ()
