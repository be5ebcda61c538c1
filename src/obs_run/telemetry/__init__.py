"""Telemetry that was recorded, as plain records, whichever place they are read from."""
