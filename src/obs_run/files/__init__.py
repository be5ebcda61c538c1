"""Files that several processes append to, rotate, or keep secret."""
