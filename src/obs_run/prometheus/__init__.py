"""The endpoint that Prometheus scrapes, and who may ask it."""
