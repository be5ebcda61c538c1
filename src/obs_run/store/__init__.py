"""The embedded local store: one SQLite file that several agents write and ``obsctl`` reads."""
