"""A flight, or a part of it, as files that others can use and check."""
