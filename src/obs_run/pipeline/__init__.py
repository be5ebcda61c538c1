"""The export path: one queue, one thread, every signal."""
