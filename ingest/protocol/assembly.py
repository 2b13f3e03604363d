"""From the pictures of a source to what travels: whole, decodable from every keyframe on, and described."""

from __future__ import annotations

from dataclasses import dataclass, replace

from flow.clock import NS_PER_S
from flow.codec.annexb import is_splintered, join_nal_units, split_nal_units
from flow.codec.bits import BitReader
from flow.codec.nal import H264, RULES, NalRules
from flow.codec.parameter_sets import config_of, slice_type
from flow.errors import MalformedError
from flow.units import Codec, CodecConfig

from .events import SourcePicture
from .fields import CodedPicture, FieldPairs
from .groups import Groups

_HOLD_MOST_NS = NS_PER_S
"""A hold this short is over before the page calls the picture frozen."""

_SET_LIMIT_BYTES = 4096  # a larger parameter set is none
_SETS_KEPT = 64
_FILLER = {Codec.H264: 12, Codec.H265: 38}
_DELIMITER = {Codec.H264: 9, Codec.H265: 35}
_SPS = {Codec.H264: 7, Codec.H265: 33}
_PPS = {Codec.H264: 8, Codec.H265: 34}
_VPS_H265 = 32
_IDR_H264 = 5
_HIGHEST_ID = {
    Codec.H264: {7: 31, 8: 255, 13: 31, 15: 31},  # H.264 7.4.2.1.1, 7.4.2.1.2, 7.4.2.2
    Codec.H265: {32: 15, 33: 15, 34: 63},  # H.265 7.4.3.1, 7.4.3.2.1, 7.4.3.3.1
}
_WITH_PROFILE_H264 = (7, 15)  # SPS and subset SPS: profile, constraints and level come before the id


@dataclass(frozen=True, slots=True)
class Assembled:
    """What travels of a picture, or of the two fields of one: Annex B. `source` has its times."""

    source: SourcePicture
    data: bytes
    keyframe: bool


class Assembler:
    """One feed's pictures in decoding order.

    Nothing is handed out before the first keyframe that has its parameter sets. Damaged pictures are thrown
    away. What follows a damaged keyframe is, too, up to the next one, since nothing of it can be right; what
    follows another damaged picture only where the next keyframe is due within a second. Otherwise the
    stream goes on: docs/decisions/0005.
    """

    def __init__(self) -> None:
        self.config: CodecConfig | None = None
        self.waiting = True
        """Pictures are thrown away until a keyframe comes."""
        self.damaged = 0
        self._codec: Codec | None = None
        self._sets: dict[tuple[int, int], bytes] = {}  # by type and id
        self._fields = FieldPairs()
        self._groups = Groups()
        self._reorders = False
        self._begins_without_idr = False
        self._saw_bare_keyframe = False  # and so cannot begin, as from MP4 sent without its avcC

    def restart(self) -> None:
        """Another stream begins; parameter sets stay, for sources that send them only once."""
        self.waiting = True
        self._fields.drop()
        self._groups = Groups()
        self._reorders = False
        self._begins_without_idr = False
        self._saw_bare_keyframe = False

    def keep_parameter_sets(self, codec: Codec, data: bytes) -> None:
        """Parameter sets from beside the stream, as Annex B."""
        self._begin(codec)
        if not is_splintered(data):
            self._keep_sets(split_nal_units(data))

    def push(self, picture: SourcePicture) -> list[Assembled]:
        """Take a picture; return what is to be shown now: mostly itself, sometimes nothing."""
        rules = self._begin(picture.codec)
        if is_splintered(picture.data):
            self.damaged += 1
            self.waiting = True  # nobody knows what was in it
            return []
        nals = [nal for nal in split_nal_units(picture.data) if rules.type_of(nal) != _FILLER[picture.codec]]
        self._keep_sets(nals)
        if not any(map(rules.is_slice, nals)):
            return []
        return self._assembled(self._fields.push(CodedPicture(picture, nals)))

    def overdue(self, now_ns: int) -> list[Assembled]:
        """A field whose fellow does not come; nothing else is ever held back."""
        return self._assembled(self._fields.overdue(now_ns))

    def drop_held(self) -> None:
        """No more will come of this source."""
        self._fields.drop()

    def _assembled(self, pictures: list[CodedPicture]) -> list[Assembled]:
        return [done for picture in pictures if (done := self._assemble(picture)) is not None]

    def _assemble(self, picture: CodedPicture) -> Assembled | None:
        source, nals = picture.source, picture.nals
        rules = RULES[source.codec]
        at = next(index for index, nal in enumerate(nals) if rules.is_slice(nal))
        keyframe = rules.is_keyframe(nals[: at + 1])  # of a field pair, the first field decides
        if source.damaged:
            self._throw_away(keyframe, nals[at])
            return None
        if keyframe and not self._configure():
            keyframe, self._saw_bare_keyframe = False, True
        if self.waiting and not keyframe:
            return None
        self.waiting = False
        data = join_nal_units(self._with_sets(nals) if keyframe else nals)
        self._groups.add(keyframe, len(data), source.arrival_ns)
        if source.codec is Codec.H264:
            self._begins_without_idr |= keyframe and rules.type_of(nals[at]) != _IDR_H264
            if is_b_slice(nals[at]):
                self.saw_reordering()
        return Assembled(source, data, keyframe)

    def saw_reordering(self) -> None:
        """Pictures of this stream are shown in another order than sent."""
        if not self._reorders:
            self._reorders = True
            self._configure()

    @property
    def waits_for(self) -> str:
        """What the pictures lack before they are handed out (again); "" for nothing."""
        if not self.waiting:
            return ""
        return "parameter sets (SPS, PPS) in the stream" if self._saw_bare_keyframe else "keyframe"

    @property
    def notes(self) -> tuple[str, ...]:
        """Codes of what a viewer of this stream must know."""
        config = self.config
        if config is None:
            return ()
        noted = {
            "codec_h265": config.codec is Codec.H265,
            "chroma": config.chroma != "4:2:0" or config.bit_depth != 8,
            "interlaced": config.interlaced,
            "b_frames": self._reorders,
            "intra_refresh": self._begins_without_idr,
            "keyframe_interval_long": self._groups.too_long,
        }
        return tuple(code for code, holds in noted.items() if holds)

    def _begin(self, codec: Codec) -> NalRules:
        if codec is not self._codec:
            self._codec = codec
            self._sets.clear()
            self._fields = FieldPairs()
            self.restart()
        return RULES[codec]

    def _throw_away(self, keyframe: bool, first_slice: bytes) -> None:
        self.damaged += 1
        interval_ns = self._groups.interval_ns
        is_short = interval_ns is not None and interval_ns <= _HOLD_MOST_NS
        if keyframe or (is_short and self._is_reference(first_slice)):
            self.waiting = True

    def _is_reference(self, first_slice: bytes) -> bool:
        if self._codec is Codec.H264:
            return first_slice[0] & 0x60 != 0  # nal_ref_idc, H.264 7.4.1
        nal_type = first_slice[0] >> 1 & 0x3F
        return nal_type >= 16 or nal_type % 2 == 1  # H.265 table 7-1: even types below 16 are not referred to

    def _keep_sets(self, nals: list[bytes]) -> None:
        assert self._codec is not None
        rules = RULES[self._codec]
        for nal in nals:
            if not rules.is_parameter_set(nal) or len(nal) > _SET_LIMIT_BYTES:
                continue
            try:
                key = (rules.type_of(nal), set_id(self._codec, nal))
            except MalformedError:
                continue
            if key[0] == _SPS[self._codec] and self._sets.get(key) != nal:
                self._take_sequence_set(nal, another=key in self._sets)
            self._sets[key] = nal
            self._bound_sets()

    def _bound_sets(self) -> None:
        """Forget the oldest beyond the bound: picture parameter sets first, for the others are few."""
        assert self._codec is not None
        if len(self._sets) > _SETS_KEPT:
            pps = _PPS[self._codec]
            oldest = next((key for key in self._sets if key[0] == pps), next(iter(self._sets)))
            del self._sets[oldest]

    def _take_sequence_set(self, sps: bytes, *, another: bool) -> None:
        """A changed SPS comes with picture parameter sets of its own."""
        assert self._codec is not None
        if self._codec is Codec.H264:
            self._fields.follow(sps)
        if another:
            self._sets = {key: nal for key, nal in self._sets.items() if key[0] != _PPS[self._codec]}

    def _configure(self) -> bool:
        """Read what the parameter sets say; False if a decoder could not begin with them."""
        assert self._codec is not None
        kinds = {kind for kind, _ in self._sets}
        if not {_SPS[self._codec], _PPS[self._codec]} <= kinds:
            return False
        try:
            config = config_of(self._codec, list(self._sets.values()))
        except MalformedError:
            return False
        if config is None:
            return False
        # Many an encoder reserves reordering in its SPS and never does it: what the pictures do counts.
        self.config = replace(config, reorders=self._reorders)
        return True

    def _with_sets(self, nals: list[bytes]) -> list[bytes]:
        """The keyframe behind all parameter sets; an access unit delimiter stays first (H.264 7.4.1.2.3)."""
        assert self._codec is not None
        rules, delimiter = RULES[self._codec], _DELIMITER[self._codec]
        first = [nal for nal in nals if rules.type_of(nal) == delimiter]
        sets = [self._sets[key] for key in sorted(self._sets)]
        rest = [nal for nal in nals if not rules.is_parameter_set(nal) and rules.type_of(nal) != delimiter]
        return [*first[:1], *sets, *rest]


def set_id(codec: Codec, nal: bytes) -> int:
    """The id by which a parameter set is referred to (H.264 7.3.2.1 and .2, H.265 7.3.2.1 and .3).

    That of an H.265 SPS lies deep inside; streams of one SPS are all there are, so it counts as 0. Raises
    MalformedError if the NAL unit ends before, or if there is no such id.
    """
    rules = RULES[codec]
    kind, bits = rules.type_of(nal), BitReader(nal[rules.header_size : rules.header_size + 8])
    if codec is Codec.H265:
        number = bits.u(4) if kind == _VPS_H265 else bits.ue() if kind == _PPS[codec] else 0
    else:
        if kind in _WITH_PROFILE_H264:
            bits.skip(24)
        number = bits.ue()
    if number > _HIGHEST_ID[codec][kind]:
        raise MalformedError(
            f"a parameter set of type {kind} with the id {number} (H.264 7.4.2, H.265 7.4.3)"
        )
    return number


def is_b_slice(nal: bytes) -> bool:
    """Whether an H.264 slice may refer to pictures that are shown after its own."""
    if H264.starts_picture(nal):  # first_mb_in_slice 0, slice_type 6 or 1: 1 00111, 1 010
        return 0b1001_1100 <= nal[1] <= 0b1010_1111
    try:
        return slice_type(nal) == "B"
    except MalformedError:
        return False
