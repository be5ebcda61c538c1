"""What knows nothing of telemetry: the failure guard, masking, plain values, wrappers of functions and generators."""
