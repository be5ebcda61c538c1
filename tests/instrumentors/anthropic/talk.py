"""Messages of many kinds of blocks, and what is recorded of them."""

from __future__ import annotations

from typing import Any

PICTURE = {"type": "base64", "media_type": "image/png", "data": "aGVsbG8="}
TALK = [
    {
        "role": "user",
        "content": [
            {"type": "text", "text": "What is this?"},
            {"type": "image", "source": PICTURE},
            {"type": "image", "source": {"type": "url", "url": "https://example.org/a.png"}},
            {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "A text."}},
        ],
    },
    {
        "role": "assistant",
        "content": [{"type": "tool_use", "id": "toolu_1", "name": "weather", "input": {"city": "X"}}],
    },
    {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "toolu_1", "content": "rain"}]},
]
SEARCH = [
    {
        "type": "server_tool_call",
        "id": "srvtoolu_000001",
        "name": "web_search",
        "server_tool_call": {"type": "web_search", "input": {"query": "trips"}},
    },
    {
        "type": "server_tool_call_response",
        "id": "srvtoolu_000001",
        "server_tool_call_response": {
            "type": "web_search",
            "content": [
                {
                    "type": "web_search_result",
                    "url": "https://example.org",
                    "title": "Trips",
                    "encrypted_content": "x",
                }
            ],
        },
    },
]
TALKED: dict[str, Any] = {
    "gen_ai.system_instructions": [{"type": "text", "content": "Be brief."}],
    "gen_ai.input.messages": [
        {
            "role": "user",
            "parts": [
                {"type": "text", "content": "What is this?"},
                {"type": "omitted_blob", "modality": "image", "mime_type": "image/png", "size": 5},
                {"type": "uri", "modality": "image", "mime_type": None, "uri": "https://example.org/a.png"},
                {"type": "text", "content": "A text."},
            ],
        },
        {
            "role": "assistant",
            "parts": [{"type": "tool_call", "id": "toolu_1", "name": "weather", "arguments": {"city": "X"}}],
        },
        {"role": "tool", "parts": [{"type": "tool_call_response", "id": "toolu_1", "response": "rain"}]},
    ],
    "gen_ai.output.messages": [
        {
            "role": "assistant",
            "parts": [{"type": "text", "content": "Based on the tools: rain"}],
            "finish_reason": "stop",
        }
    ],
}
