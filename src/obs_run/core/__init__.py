"""The only code that writes telemetry: operations in, spans, metrics and events out."""
