"""The vocabulary of what an agent does, and when it begins and ends. It writes to a sink."""
