"""Jaeger's query API over what the viewer reads, as Jaeger 2.13 to 2.20 answers; checked against the real one."""
