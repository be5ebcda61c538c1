"""The places that telemetry is read from: the local store, files of OTLP JSON, a Jaeger."""
