from __future__ import annotations

from flow.codec.klv import SET_LIMIT_BYTES
from flow.codec.metadata_au import MetadataUnits

MIDDLE, LAST, FIRST, WHOLE = range(4)


def cell(data: bytes, sequence: int = 0, indication: int = WHOLE, service: int = 0) -> bytes:
    head = bytes((service, sequence, indication << 6 | 0x1F))
    return head + len(data).to_bytes(2, "big") + data


def test_each_cell_is_a_unit() -> None:
    assert MetadataUnits().push(cell(b"one") + cell(b"") + cell(b"two", 1)) == [b"one", b"", b"two"]


def test_a_unit_goes_through_several_cells_and_packets() -> None:
    units = MetadataUnits()
    assert units.push(cell(b"a", 254, FIRST) + cell(b"b", 255, MIDDLE)) == []
    assert units.push(cell(b"c", 0, LAST) + cell(b"next", 1)) == [b"abc", b"next"]
    assert units.bad_cells == 0


def test_a_missing_cell_costs_its_unit_alone() -> None:
    units = MetadataUnits()
    units.push(cell(b"a", 7, FIRST))
    assert units.push(cell(b"c", 9, LAST) + cell(b"whole", 10)) == [b"whole"]
    assert units.push(cell(b"a", 1, FIRST) + cell(b"a", 2, FIRST) + cell(b"b", 3, LAST)) == [b"ab"]
    assert units.push(cell(b"orphan", 4, MIDDLE) + cell(b"orphan", 5, LAST)) == []
    units.push(cell(b"a", 6, FIRST))
    units.interrupt()
    assert units.push(cell(b"b", 7, LAST)) == []
    assert units.push(cell(b"a", 1, FIRST, service=1) + cell(b"b", 2, LAST, service=2)) == []
    assert units.bad_cells == 7


def test_a_length_beyond_the_packet_ends_it() -> None:
    units = MetadataUnits()
    assert units.push(cell(b"good") + cell(b"x" * 50)[:-1]) == [b"good"]
    assert units.push(cell(b"good") + b"\0\0") == [b"good"]
    assert units.bad_cells == 2


def test_a_unit_without_end_is_bounded() -> None:
    units = MetadataUnits()
    units.push(cell(bytes(60_000), 0, FIRST))
    for sequence in range(1, 9):
        assert units.push(cell(bytes(60_000), sequence, MIDDLE)) == []
        assert sum(map(len, units._parts)) <= SET_LIMIT_BYTES
