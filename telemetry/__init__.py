"""Telemetry: MAVLink -> TelemetrySamples -> the bus. Never sends anything towards an aircraft."""
