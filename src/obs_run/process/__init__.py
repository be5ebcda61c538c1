"""This process: the identity of its run, its program, its exits, its forks, what it imports."""
