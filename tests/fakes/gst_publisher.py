"""An independent publisher: GStreamer's webrtcbin, run by the system's Python (Debian's python3-gi).

`/usr/bin/python3 tests/fakes/gst_publisher.py CLIP [ADDRESS …]` sends the H.264 of an MP4 file from these
local addresses. It prints one JSON object a line: {"offer": sdp}, then, once it has read {"answer": sdp} from
its standard input, {"state": …} of the connection, and {"sent": pictures} at the end of the clip. It ends
with its standard input.

Packages: gstreamer1.0-nice gstreamer1.0-plugins-bad gir1.2-gst-plugins-bad-1.0 python3-gi.
"""

import json
import sys
import threading

import gi  # type: ignore[import-not-found]

for name in ("Gst", "GstSdp", "GstWebRTC"):
    gi.require_version(name, "1.0")
from gi.repository import GLib, Gst, GstSdp, GstWebRTC  # type: ignore[import-not-found]  # noqa: E402

PIPELINE = (
    "filesrc location={clip} ! qtdemux ! h264parse config-interval=-1 ! identity name=clock sync=true !"
    " rtph264pay aggregate-mode=zero-latency ! application/x-rtp,media=video,encoding-name=H264,payload=96 !"
    " webrtcbin name=webrtc bundle-policy=max-bundle"
)


def say(**what: object) -> None:
    print(json.dumps(what), flush=True)


class Publisher:
    """Offers to send the clip's video; nothing leaves before it is connected, so nothing is lost."""

    def __init__(self, clip: str, addresses: list[str]) -> None:
        self.pipeline = Gst.parse_launch(PIPELINE.format(clip=clip))
        self.webrtc = self.pipeline.get_by_name("webrtc")
        self.webrtc.connect("on-negotiation-needed", self._negotiate)
        self.webrtc.connect("notify::ice-gathering-state", self._gathered)
        self.webrtc.connect("notify::connection-state", self._changed)
        # Its reference is floating: let go of, webrtcbin 1.22 has no agent any more.
        self.ice = self.webrtc.get_property("ice-agent")
        for address in addresses:  # libnice leaves out loopback, and pairs it with nothing else
            self.ice.emit("add-local-ip-address", address)
        transceiver = self.webrtc.emit("get-transceiver", 0)
        transceiver.set_property("direction", GstWebRTC.WebRTCRTPTransceiverDirection.SENDONLY)
        transceiver.set_property("do-nack", True)
        self.pictures = 0
        self.source = self.pipeline.get_by_name("clock").get_static_pad("sink")
        self.source.add_probe(Gst.PadProbeType.BUFFER, self._count)
        self.block = self.source.add_probe(
            Gst.PadProbeType.BLOCK | Gst.PadProbeType.BUFFER, lambda *_: Gst.PadProbeReturn.OK
        )
        bus = self.pipeline.get_bus()
        bus.add_signal_watch()
        bus.connect("message::error", lambda _, message: sys.exit(str(message.parse_error())))
        self.source.add_probe(Gst.PadProbeType.EVENT_DOWNSTREAM, self._event)
        self.pipeline.set_state(Gst.State.PLAYING)

    def take(self, answer_sdp: str) -> None:
        _, sdp = GstSdp.SDPMessage.new_from_text(answer_sdp)
        answer = GstWebRTC.WebRTCSessionDescription.new(GstWebRTC.WebRTCSDPType.ANSWER, sdp)
        self.webrtc.emit("set-remote-description", answer, Gst.Promise.new())

    def _count(self, *_: object) -> Gst.PadProbeReturn:
        self.pictures += 1
        return Gst.PadProbeReturn.OK

    def _event(self, _: Gst.Pad, info: Gst.PadProbeInfo) -> Gst.PadProbeReturn:
        if info.get_event().type == Gst.EventType.EOS:
            say(sent=self.pictures)
        return Gst.PadProbeReturn.OK

    def _negotiate(self, webrtc: Gst.Element) -> None:
        webrtc.emit("create-offer", None, Gst.Promise.new_with_change_func(self._offered))

    def _offered(self, promise: Gst.Promise) -> None:
        reply = promise.get_reply()  # holds the offer: collected too early, it takes the offer with it
        offer = reply.get_value("offer")
        self.webrtc.emit("set-local-description", offer, Gst.Promise.new())

    def _gathered(self, webrtc: Gst.Element, _: object) -> None:
        if webrtc.get_property("ice-gathering-state") == GstWebRTC.WebRTCICEGatheringState.COMPLETE:
            say(offer=webrtc.get_property("local-description").sdp.as_text())

    def _changed(self, webrtc: Gst.Element, _: object) -> None:
        state = webrtc.get_property("connection-state")
        say(state=state.value_nick)
        if state == GstWebRTC.WebRTCPeerConnectionState.CONNECTED and self.block is not None:
            self.source.remove_probe(self.block)
            self.block = None


def main() -> None:
    Gst.init(None)
    loop, publisher = GLib.MainLoop(), Publisher(sys.argv[1], sys.argv[2:] or ["127.0.0.1"])

    def listen() -> None:
        for line in sys.stdin:
            GLib.idle_add(publisher.take, json.loads(line)["answer"])
        loop.quit()

    threading.Thread(target=listen, daemon=True).start()
    loop.run()
    publisher.pipeline.set_state(Gst.State.NULL)


if __name__ == "__main__":
    main()
