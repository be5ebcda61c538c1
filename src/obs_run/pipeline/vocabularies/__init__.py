"""The words in which others tell of models, agents and tools, a module each: it says them in the conventions' words."""
