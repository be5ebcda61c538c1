"""Two asyncio workers on one queue: jobs interleave, one times out, one is cancelled."""
import asyncio
import logging

logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
log = logging.getLogger("workers")

TIMES = {"j1": 0.06, "j2": 0.03, "j3": 5.0, "j4": 0.02, "j5": 0.03, "j6": 5.0}


async def fetch(job):
    log.info("fetching page of %s", job)  # @fetch
    await asyncio.sleep(min(TIMES[job] / 2, 0.03))
    if job == "j4":
        raise ConnectionResetError("peer went away")
    log.info("page of %s fetched, %d bytes", job, 300)  # @fetch_ok


async def do_job(job):
    await fetch(job)
    await asyncio.sleep(TIMES[job] / 2)


async def worker(name, jobs):
    log.info("%s up", name)
    while True:
        job = await jobs.get()
        log.info("%s took %s", name, job)  # @take
        try:
            await asyncio.wait_for(do_job(job), timeout=0.15 if job == "j3" else 60)
        except asyncio.TimeoutError:
            log.error("%s: %s timed out after %d ms", name, job, 150)  # @take_late
        except asyncio.CancelledError:
            log.info("%s cancelled while on %s", name, job)  # @take_cancel
            raise
        except Exception as exc:
            log.error("%s could not do %s: %r", name, job, exc)  # @take_bad
        else:
            log.info("%s done with %s", name, job)  # @take_ok
        finally:
            jobs.task_done()


async def watch(jobs):
    while True:
        await asyncio.sleep(0.04)
        log.info("heartbeat: %d jobs waiting", jobs.qsize())


async def main():
    log.info("Starting 2 workers")
    jobs = asyncio.Queue()
    crew = [asyncio.create_task(worker(f"w{i}", jobs)) for i in (1, 2)]
    crew.append(asyncio.create_task(watch(jobs)))
    for job in TIMES:
        jobs.put_nowait(job)
    await asyncio.sleep(0.8)
    log.info("Stopping workers")  # @stop
    for task in crew:
        task.cancel()
    await asyncio.gather(*crew, return_exceptions=True)
    log.info("Workers stopped")  # @stop_ok


asyncio.run(main())
