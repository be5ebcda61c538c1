"""The trip planner with OpenAI's Agents SDK: needs openai-agents; the variables are those of agent.py."""

import os
import sys

from agents import Agent, OpenAIResponsesModel, RunConfig, Runner, function_tool
from openai import AsyncOpenAI
from trip_tools import INSTRUCTIONS, hotel, prompt, weather


def main() -> None:
    """Plan a day in the city named on the command line."""
    planner = Agent(
        name="planner",
        instructions=INSTRUCTIONS,
        tools=[function_tool(weather), function_tool(hotel)],
        model=OpenAIResponsesModel(os.environ.get("OPENAI_MODEL", "gpt-5-mini"), AsyncOpenAI()),
    )
    asked = prompt(sys.argv[1] if len(sys.argv) > 1 else "Lisbon")
    print(Runner.run_sync(planner, asked, run_config=RunConfig(group_id="trip-1")).final_output)


if __name__ == "__main__":
    main()
