"""Records in memory that another process reads: written by an agent, read by the relay."""
