"""What reads other people's telemetry: the logging module, the logs API."""
