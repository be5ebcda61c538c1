"""Pure functions over recorded traces: from spans and log lines to what they say."""
