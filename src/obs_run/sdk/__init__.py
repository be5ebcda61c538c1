"""OpenTelemetry set up: providers, resource, entry points and the late start of all of them."""
