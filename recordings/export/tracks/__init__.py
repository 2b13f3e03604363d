"""What an aircraft told in a flight, in the forms that other programs read."""

from .files import FORMATS, Format, make_tracks

__all__ = ["FORMATS", "Format", "make_tracks"]
