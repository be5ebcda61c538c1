"""OpenTelemetry's providers: how they are made, and how they start late."""
