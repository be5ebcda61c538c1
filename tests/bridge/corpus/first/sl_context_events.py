"""structlog with contextvars and JSON lines: event names of a tool runtime."""
import asyncio
import sys

import structlog
from structlog.contextvars import bind_contextvars, clear_contextvars, merge_contextvars

structlog.configure(
    processors=[merge_contextvars, structlog.processors.add_log_level,
                structlog.processors.format_exc_info, structlog.processors.JSONRenderer()],
    logger_factory=structlog.PrintLoggerFactory(file=sys.stdout),
)
log = structlog.get_logger("runtime")


async def run_tool(tool, ms):
    log.info("tool.invoked", tool=tool, deadline_ms=500)  # @tool
    await asyncio.sleep(ms / 1000)
    if tool == "browser":
        raise RuntimeError("page crashed, restart needed")
    log.info("tool.returned", tool=tool, output="task_failed is only a word here")  # @tool_ok


async def conversation(conversation_id, tools):
    clear_contextvars()
    bind_contextvars(conversation_id=conversation_id)
    log.info("conversation_started", tools=len(tools))  # @conv
    try:
        for tool, ms in tools:
            await run_tool(tool, ms)
    except RuntimeError:
        log.exception("conversation_failed")  # @conv_bad
        return "failed"
    log.info("conversation_ended", turns=len(tools))  # @conv_ok
    return "ended"


async def main():
    log.info("runtime_ready", started=True)
    states = await asyncio.gather(
        conversation("c-1", [("search", 4), ("calculator", 6)]),
        conversation("c-2", [("search", 2), ("browser", 3), ("calculator", 1)]),
        conversation("c-3", []),
    )
    log.info("runtime_summary", states=states, conversations_started=3, conversations_failed=1)


asyncio.run(main())
