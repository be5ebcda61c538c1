"""Turns log lines into spans: what an agent's lines tell of beginnings, ends and failures."""
