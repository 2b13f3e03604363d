"""Recordings (code; the media itself lies under `data_dir`): what was flown, flown again."""
