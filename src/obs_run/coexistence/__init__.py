"""Beside the instrumentation of others: one instrumentor a library, one span a call, headers where they may go."""
