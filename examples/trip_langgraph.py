"""The trip planner with LangGraph: needs langchain and langchain-openai; the variables are those of agent.py."""

import os
import sys

from langchain.agents import create_agent
from langchain_openai import ChatOpenAI
from trip_tools import INSTRUCTIONS, hotel, prompt, weather


def main() -> None:
    """Plan a day in the city named on the command line."""
    model = ChatOpenAI(model=os.environ.get("OPENAI_MODEL", "gpt-5-mini"))
    planner = create_agent(model, [weather, hotel], system_prompt=INSTRUCTIONS, name="planner")
    asked = {"messages": [("user", prompt(sys.argv[1] if len(sys.argv) > 1 else "Lisbon"))]}
    answer = planner.invoke(asked, {"configurable": {"thread_id": "trip-1"}})
    print(answer["messages"][-1].content)


if __name__ == "__main__":
    main()
