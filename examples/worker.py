"""Write the phrase list of a trip: the agent's worker, a process of its own."""

import os
import sys

from openai import OpenAI


def main() -> None:
    """Print useful phrases for the city named on the command line."""
    city = sys.argv[1]
    client = OpenAI()
    answer = client.chat.completions.create(
        model=os.environ.get("OPENAI_MODEL", "gpt-5-mini"),
        messages=[{"role": "user", "content": f"Give me two phrases in the language of {city}, with their meaning."}],
    )
    print(answer.choices[0].message.content)


if __name__ == "__main__":
    main()
