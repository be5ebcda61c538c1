"""What CrewAI can do besides the story: its own models, flows, memory, guardrails, and hygiene."""
