"""The launcher: the command, what it starts inside the agent's process, and how that process is left."""
