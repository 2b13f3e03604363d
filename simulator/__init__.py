"""The demo aircraft: picture and MAVLink from one truth, sent over UDP. Imports no room."""
