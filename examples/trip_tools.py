"""The tools of the trip planners that are written with a framework of agents."""

FORECASTS = {"Lisbon": "21 degrees and sunny", "Oslo": "3 degrees and snow"}
INSTRUCTIONS = "You are a brief and friendly trip planner."


def weather(city: str) -> str:
    """Return the forecast of a city."""
    return f"{city}: {FORECASTS.get(city, 'nobody knows')}"


def hotel(city: str) -> str:
    """Find a room in a city."""
    return f"a room near the castle of {city}"


def prompt(city: str) -> str:
    """Return what the planner is asked."""
    return f"Plan one day in {city}. Check the weather and find a hotel."
