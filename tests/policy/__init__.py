"""The policy walk: what is expected (table.txt, by hand), a house, and callers of every role."""
