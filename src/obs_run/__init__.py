"""obs-run: one command makes any AI agent observable."""
