"""An independent player: GStreamer's webrtcbin, run by the system's Python (Debian's python3-gi).

`/usr/bin/python3 tests/fakes/gst_player.py [ADDRESS …]` sends from these local addresses. It prints
one JSON object a line: {"offer": sdp}, then, once it has read {"answer": sdp} from its standard input,
{"luma": CRC-32 of the samples, "at_ns": monotonic, "height": rows} for each decoded picture and {"state": …}
of the connection. It ends with its standard input. With --check it only says whether all it needs is there.

Packages: gstreamer1.0-nice gstreamer1.0-plugins-bad gir1.2-gst-plugins-bad-1.0 python3-gi.
"""

import json
import sys
import threading
import time
import zlib

import gi  # type: ignore[import-not-found]

for name in ("Gst", "GstSdp", "GstWebRTC"):
    gi.require_version(name, "1.0")
from gi.repository import GLib, Gst, GstSdp, GstWebRTC  # type: ignore[import-not-found]  # noqa: E402

NEEDED = ("webrtcbin", "nicesrc", "dtlssrtpdec", "rtph264depay", "h264parse", "openh264dec", "appsink")
H264 = (
    "application/x-rtp,media=video,encoding-name=H264,payload=102,clock-rate=90000,"
    "packetization-mode=(string)1,profile-level-id=(string)42e01f,"
    "rtcp-fb-nack=(boolean)true,rtcp-fb-nack-pli=(boolean)true,rtcp-fb-ccm-fir=(boolean)true"
)
LATENCY_MS = 800
"""webrtcbin 1.22 sends one NACK in 217 ms at most (its share of RTCP, RFC 4585 3.5.2): its default jitter
buffer of 200 ms gives up what is lost before it could have come again."""


def say(**what: object) -> None:
    print(json.dumps(what), flush=True)


class Player:
    """Offers to receive one H.264 video, decodes what comes."""

    def __init__(self, addresses: list[str]) -> None:
        self.pipeline = Gst.Pipeline.new("player")
        self.webrtc = Gst.ElementFactory.make("webrtcbin")
        self.webrtc.set_property("bundle-policy", GstWebRTC.WebRTCBundlePolicy.MAX_BUNDLE)
        self.webrtc.set_property("latency", LATENCY_MS)
        self.pipeline.add(self.webrtc)
        self.webrtc.connect("pad-added", self._decode)
        self.webrtc.connect("notify::ice-gathering-state", self._gathered)
        self.webrtc.connect("notify::connection-state", self._changed)
        # Its reference is floating: let go of, webrtcbin 1.22 has no agent any more.
        self.ice = self.webrtc.get_property("ice-agent")
        for address in addresses:  # libnice leaves out loopback, and pairs it with nothing else
            self.ice.emit("add-local-ip-address", address)
        receiving = GstWebRTC.WebRTCRTPTransceiverDirection.RECVONLY
        transceiver = self.webrtc.emit("add-transceiver", receiving, Gst.Caps.from_string(H264))
        transceiver.set_property("do-nack", True)
        self.pipeline.set_state(Gst.State.PLAYING)
        self.webrtc.emit("create-offer", None, Gst.Promise.new_with_change_func(self._offered))

    def take(self, answer_sdp: str) -> None:
        _, sdp = GstSdp.SDPMessage.new_from_text(answer_sdp)
        answer = GstWebRTC.WebRTCSessionDescription.new(GstWebRTC.WebRTCSDPType.ANSWER, sdp)
        self.webrtc.emit("set-remote-description", answer, Gst.Promise.new())

    def _offered(self, promise: Gst.Promise) -> None:
        reply = promise.get_reply()  # holds the offer: collected too early, it takes the offer with it
        offer = reply.get_value("offer")
        self.webrtc.emit("set-local-description", offer, Gst.Promise.new())

    def _gathered(self, webrtc: Gst.Element, _: object) -> None:
        if webrtc.get_property("ice-gathering-state") == GstWebRTC.WebRTCICEGatheringState.COMPLETE:
            say(offer=webrtc.get_property("local-description").sdp.as_text())

    def _changed(self, webrtc: Gst.Element, _: object) -> None:
        say(state=webrtc.get_property("connection-state").value_nick)

    def _decode(self, _: Gst.Element, pad: Gst.Pad) -> None:
        tail = Gst.parse_bin_from_description(
            "rtph264depay request-keyframe=true wait-for-keyframe=true ! h264parse ! openh264dec !"
            " video/x-raw,format=I420 ! appsink name=sink emit-signals=true sync=false",
            True,
        )
        tail.get_by_name("sink").connect("new-sample", self._shown)
        self.pipeline.add(tail)
        tail.sync_state_with_parent()
        pad.link(tail.get_static_pad("sink"))

    def _shown(self, sink: Gst.Element) -> Gst.FlowReturn:
        sample = sink.emit("pull-sample")
        shape = sample.get_caps().get_structure(0)
        luma_bytes = shape.get_value("width") * shape.get_value("height")
        buffer = sample.get_buffer()
        luma = zlib.crc32(buffer.extract_dup(0, luma_bytes))
        say(luma=luma, at_ns=time.monotonic_ns(), height=shape.get_value("height"))
        return Gst.FlowReturn.OK


def main() -> None:
    Gst.init(None)
    missing = [name for name in NEEDED if Gst.ElementFactory.find(name) is None]
    if missing:
        sys.exit(f"GStreamer lacks {', '.join(missing)}")
    if "--check" in sys.argv:
        return
    loop, player = GLib.MainLoop(), Player(sys.argv[1:] or ["127.0.0.1"])

    def listen() -> None:
        for line in sys.stdin:
            GLib.idle_add(player.take, json.loads(line)["answer"])
        loop.quit()

    threading.Thread(target=listen, daemon=True).start()
    loop.run()
    player.pipeline.set_state(Gst.State.NULL)


if __name__ == "__main__":
    main()
