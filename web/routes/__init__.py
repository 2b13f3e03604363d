"""The HTTP interface, by what is asked for."""
