"""Programs that show obs-run at work."""
