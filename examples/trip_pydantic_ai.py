"""The trip planner with Pydantic AI: needs pydantic-ai-slim[openai]; the variables are those of agent.py."""

import os
import sys

from pydantic_ai import Agent
from trip_tools import INSTRUCTIONS, hotel, prompt, weather


def main() -> None:
    """Plan a day in the city named on the command line."""
    model = f"openai-chat:{os.environ.get('OPENAI_MODEL', 'gpt-5-mini')}"
    planner = Agent(model, name="planner", instructions=INSTRUCTIONS, tools=[weather, hotel])
    asked = prompt(sys.argv[1] if len(sys.argv) > 1 else "Lisbon")
    print(planner.run_sync(asked, conversation_id="trip-1").output)


if __name__ == "__main__":
    main()
