"""Relay: everything WebRTC. The bus -> browsers (WHEP)."""
