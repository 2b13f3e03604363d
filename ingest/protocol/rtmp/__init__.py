"""RTMP as a server of publishers speaks it: bytes and time in, events and bytes out."""
