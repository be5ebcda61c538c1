"""Sends the requests of a day to model_ops_agent.py: ``python requests_of_a_day.py PORT``."""

from __future__ import annotations

import json
import sys

import zmq

REQUESTS = [
    {"action": "health"},
    {"action": "translate", "text": "Good morning", "target": "Filipino"},
    {"action": "summarize", "text": "Five agents share one machine."},
    {"action": "summarize", "text": "every train timetable ever printed"},
    {"action": "translate", "text": "Thank you for every train timetable ever printed"},
    {"action": "load_model", "model_id": "whisper-small"},
    {"action": "load_model", "model_id": "whisper-gigantic"},
    {"action": "set_goal", "description": "a briefing each morning"},
    {"action": "sing"},
    "this is no JSON",
    {"action": "shutdown"},
]


def main(port: str) -> None:
    """Send each request and print its answer."""
    with zmq.Context() as context, context.socket(zmq.REQ) as socket:
        socket.setsockopt(zmq.LINGER, 0)
        socket.setsockopt(zmq.RCVTIMEO, 60_000)
        socket.connect(f"tcp://127.0.0.1:{port}")
        for request in REQUESTS:
            socket.send_string(request if isinstance(request, str) else json.dumps(request))
            print(socket.recv_string(), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
