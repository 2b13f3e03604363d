"""What leaves the house: MAVLink for ground stations, CoT for TAK, MPEG-TS with KLV. Never to an aircraft."""
