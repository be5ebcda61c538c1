"""The command ``obs-run``, and what it starts inside the agent's process."""
