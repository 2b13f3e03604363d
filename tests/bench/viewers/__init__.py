"""Viewers that cost almost nothing: real ICE, DTLS and SRTCP, but the kernel throws nearly all media away."""
