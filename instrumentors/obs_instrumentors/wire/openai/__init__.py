"""OpenAI's API, which many providers and libraries speak."""
