"""Functions of the agent's own code that a file names, recorded without a change of that code."""
