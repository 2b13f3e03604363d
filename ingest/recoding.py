"""Decoding and encoding again, with libav. Runs in child processes only: see encoder.py.

A picture is decoded, deinterlaced where it is of two fields, made 8-bit 4:2:0 of the rendition's size, and
encoded without delay: no B-frames, no lookahead, one slice.
"""

from __future__ import annotations

from fractions import Fraction

import av
from av.codec.codec import UnknownCodecError
from av.filter import Graph
from av.video.codeccontext import VideoCodecContext
from av.video.frame import PictureType, VideoFrame

from flow.units import CLOCK_RATE_HZ, Rendition

from .child import EncoderError
from .protocol.events import StreamInfo
from .protocol.picture_limit import DECODED_MOST_PX
from .protocol.rendition_size import rendition_limit_bps, rendition_size

_TICK = Fraction(1, CLOCK_RATE_HZ)
_DECODERS = {"av1": "libdav1d"}  # libav's own decoder of AV1 only drives graphics cards
_FALLBACK_GROUP = 600  # keyframes are told one by one; this only bounds what nobody told
_RATE_CHANGES = 1.25  # times the rate
_BUFFER_S = 0.5  # of the limit: a keyframe takes at most that long on a way that carries just the limit
_RATE_FACTOR = "23"  # x264's quality while the limit allows it: a still scene takes far less
_X264_OPTIONS = {
    "tune": "zerolatency",
    "x264-params": "sliced-threads=0",  # zerolatency would cut a picture into a slice for each thread
    "crf": "23",  # the quality while the limit allows it: a still scene takes far less
    "sc_threshold": "0",
    "forced-idr": "1",
}


class Decoder:
    """One stream, picture by picture, on one thread: more of them hold pictures back."""

    def __init__(self, info: StreamInfo) -> None:
        """Raises EncoderError ("undecodable") where libav has no such decoder."""
        try:
            context = av.CodecContext.create(_DECODERS.get(info.codec, info.codec), "r")
        except UnknownCodecError:
            problem = f"there is no decoder of '{info.codec}' here"
            raise EncoderError(problem, code="undecodable") from None
        assert isinstance(context, VideoCodecContext)
        context.thread_count = 1
        context.options = {"max_pixels": str(DECODED_MOST_PX)}
        if info.extradata:
            context.extradata = info.extradata
        if info.width_px and info.height_px:  # MS-MPEG4 does not say itself
            context.width, context.height = info.width_px, info.height_px
        self._context = context

    def decode(self, data: bytes, pts: int) -> list[VideoFrame]:
        """What comes of one more picture, in the order of showing. Raises av.FFmpegError for bad data."""
        packet = av.Packet(data)
        packet.pts = packet.dts = pts
        packet.time_base = _TICK
        return self._context.decode(packet)

    def reset(self) -> None:
        """What comes next does not follow what was before."""
        self._context.flush_buffers()


class Shaper:
    """Makes progressive 8-bit 4:2:0 of a rendition's size of whatever was decoded.

    The filter is built anew where the pictures change. Deinterlacing begins with the first picture of two
    fields; it looks at the next one, and so costs its time.
    """

    def __init__(self, rendition: Rendition) -> None:
        self._rendition = rendition
        self._interlaced = False
        self._key: tuple[object, ...] = ()
        self._graph: Graph | None = None

    def push(self, frame: VideoFrame) -> list[VideoFrame]:
        """The pictures that are ready; `pts` counts 90 kHz ticks. Raises EncoderError."""
        try:
            return self._shaped(frame)
        except av.FFmpegError as error:
            size = f"{frame.width}x{frame.height} {frame.format.name}"
            raise EncoderError(f"pictures of {size} cannot be converted: {error}") from None

    def _shaped(self, frame: VideoFrame) -> list[VideoFrame]:
        self._interlaced |= frame.interlaced_frame
        key = (frame.width, frame.height, frame.format.name, frame.color_range, frame.colorspace)
        if (*key, self._interlaced) != self._key:
            self._key = (*key, self._interlaced)
            self._graph = self._built(frame)
        if self._graph is None:
            return [frame]
        self._graph.push(frame)
        return self._pulled(self._graph)

    def _pulled(self, graph: Graph) -> list[VideoFrame]:
        frames: list[VideoFrame] = []
        while True:
            try:
                frame = graph.vpull()
            except (av.BlockingIOError, av.EOFError):
                return frames
            if frame.pts is not None and frame.time_base is not None:
                frame.pts = int(frame.pts * frame.time_base / _TICK)  # yadif counts half ticks
            frame.time_base = _TICK
            frames.append(frame)

    def _built(self, frame: VideoFrame) -> Graph | None:
        """None where the frame is right as it is."""
        width, height = rendition_size(self._rendition, frame.width, frame.height)
        filters = [("yadif", "mode=send_frame:deint=interlaced")] if self._interlaced else []
        if (frame.width, frame.height, frame.format.name) != (width, height, "yuv420p"):
            matrix = ":out_color_matrix=bt709" if frame.format.is_rgb else ""
            filters += [
                ("scale", f"{width}:{height}:flags=bilinear:out_range=tv{matrix}"),
                ("format", "yuv420p"),
            ]
        if not filters:
            return None
        graph = Graph()
        graph.threads = 1
        last = graph.add_buffer(width=frame.width, height=frame.height, format=frame.format, time_base=_TICK)
        for name, arguments in [*filters, ("buffersink", None)]:
            following = graph.add(name, arguments)
            last.link_to(following)
            last = following
        graph.configure()
        return graph


class Encoder:
    """H.264 of one size at a time."""

    def __init__(self, name: str, preset: str, rendition: Rendition) -> None:
        """Raises EncoderError ("encoder_unknown") where there is no such encoder of H.264."""
        try:
            codec = av.Codec(name, "w")
        except UnknownCodecError:
            raise EncoderError(f"there is no encoder '{name}' here", code="encoder_unknown") from None
        if codec.canonical_name != "h264":
            problem = f"the encoder '{name}' makes {codec.canonical_name}, not H.264"
            raise EncoderError(problem, code="encoder_unknown")
        self._name, self._preset, self._rendition = name, preset, rendition
        self._context: VideoCodecContext | None = None
        self._fps = 0.0
        self._origin = 0  # x264 multiplies times: they must not count from 1970
        self.limit_bps = 0
        self.size_px = (0, 0)

    def encode(self, frame: VideoFrame, pts: int, fps: float, *, keyframe: bool) -> bytes:
        """The picture as Annex B, parameter sets in keyframes; `pts` rises. Raises EncoderError.

        `fps` is the present rate. Without lookahead x264 takes the last picture's duration, and with it the
        share of the limit, from that and not from the times.
        """
        try:
            another = (frame.width, frame.height) != self.size_px or (keyframe and self.is_for_another(fps))
            if self._context is None or another:
                self._context, self._origin, self._fps = self._opened(frame, fps), pts, fps
            frame.pts, frame.time_base = pts - self._origin, _TICK
            frame.pict_type = PictureType.I if keyframe else PictureType.NONE
            packets = self._context.encode(frame)
        except (av.FFmpegError, ValueError) as error:
            raise EncoderError(f"{self._name} fails: {error}") from None
        if len(packets) != 1 or packets[0].pts != pts - self._origin:
            raise EncoderError(f"{self._name} holds pictures back; it must give each one at once")
        return bytes(packets[0])

    def is_for_another(self, fps: float) -> bool:
        """Whether the encoder is set to so different a rate that the next keyframe brings a new one."""
        return not self._fps / _RATE_CHANGES <= fps <= self._fps * _RATE_CHANGES

    def _opened(self, frame: VideoFrame, fps: float) -> VideoCodecContext:
        context = av.CodecContext.create(self._name, "w")
        assert isinstance(context, VideoCodecContext)
        self.size_px = context.width, context.height = frame.width, frame.height
        self.limit_bps = rendition_limit_bps(self._rendition, frame.width, frame.height)
        context.pix_fmt = "yuv420p"
        context.time_base = _TICK
        context.framerate = Fraction(round(fps * 1000), 1000)
        context.colorspace = frame.colorspace
        context.gop_size = _FALLBACK_GROUP
        context.max_b_frames = 0
        context.thread_count = 1
        limits = {"maxrate": str(self.limit_bps), "bufsize": str(round(self.limit_bps * _BUFFER_S))}
        if self._name == "libx264":
            context.options = {"preset": self._preset, **_X264_OPTIONS, **limits}
        else:
            context.bit_rate = self.limit_bps
            context.options = limits
        context.open()
        return context
