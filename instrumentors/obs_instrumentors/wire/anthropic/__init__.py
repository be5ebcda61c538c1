"""Anthropic's Messages API, which Bedrock and Fireworks speak too."""
