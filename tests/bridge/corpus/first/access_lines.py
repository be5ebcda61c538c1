"""A tiny asynchronous web service: access lines with id, method and status."""
import asyncio
import itertools
import logging
import time

logging.basicConfig(level=logging.INFO, format="%(levelname)s:     %(message)s")
access = logging.getLogger("web.access")
app = logging.getLogger("web.app")
numbers = itertools.count(0xA1)


async def query(rid, table):
    app.info(f"[{rid}] querying {table}")  # @q
    await asyncio.sleep({"agents": 0.02, "tasks": 0.004}[table])
    app.info(f"[{rid}] query on {table} gave 2 rows")  # @q_ok
    return 2


async def route(rid, path):
    if path == "/health":
        return 200
    if path == "/boom":
        app.info(f"[{rid}] rendering page")  # @rend
        await asyncio.sleep(0.006)
        raise ZeroDivisionError("division by zero")
    await query(rid, path.strip("/"))
    return 200


async def middleware(method, path):
    rid = f"{next(numbers):x}"
    t0 = time.perf_counter()
    access.info(f"[{rid}] {method} {path}")  # @req
    try:
        status = await route(rid, path)
    except Exception as exc:
        ms = (time.perf_counter() - t0) * 1000
        app.error(f"[{rid}] unhandled exception: {exc!r}")
        access.error(f"[{rid}] {method} {path} 500 ({ms:.0f}ms)")  # @req_500
        return 500
    ms = (time.perf_counter() - t0) * 1000
    access.info(f"[{rid}] {method} {path} {status} ({ms:.0f}ms)")  # @req_200
    return status


async def main():
    app.info("Application startup complete.")
    paths = ["/agents", "/tasks", "/boom", "/health"]
    tasks = []
    for p in paths:
        tasks.append(asyncio.create_task(middleware("GET", p)))
        await asyncio.sleep(0.001)
    statuses = await asyncio.gather(*tasks)
    app.info(f"statuses {statuses}, average 8ms")
    app.info("Application shutdown complete.")


asyncio.run(main())
