"""Ingest: a video source -> AccessUnits -> the bus."""
