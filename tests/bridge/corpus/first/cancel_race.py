"""Several engines race for a translation; losers are cancelled."""
import asyncio
import logging

log = logging.getLogger("race")
logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s - %(message)s")

ENGINES = {"nllb": 0.012, "google": 0.2, "phi": 0.004}


async def translate(engine, text):
    log.info(f"[{engine}] translation of {text!r} kicked off")  # @tr
    try:
        await asyncio.sleep(ENGINES[engine])
        if engine == "phi":
            raise ConnectionResetError("phi restarted")
        log.info(f"[{engine}] translation delivered")  # @tr_ok
        return f"{text} ({engine})"
    except asyncio.CancelledError:
        log.info(f"[{engine}] translation cancelled")  # @tr_cancel
        raise
    except ConnectionResetError as e:
        log.error(f"[{engine}] translation broke: {e}")  # @tr_bad
        return None


async def race(text):
    log.info(f"Race for {text!r} opens with {len(ENGINES)} engines, limit 5 seconds")  # @race
    pending = {asyncio.create_task(translate(e, text)) for e in ENGINES}
    winner = None
    while pending and winner is None:
        done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            winner = task.result() or winner
    for task in pending:
        task.cancel()
    await asyncio.gather(*pending, return_exceptions=True)
    log.info(f"Race won: {winner}")  # @race_ok
    return winner


async def impatient(text):
    log.info(f"Impatient call for {text!r}")  # @imp
    try:
        await asyncio.wait_for(translate("google", text), 0.01)
        log.info(f"Impatient call for {text!r} answered")
    except asyncio.TimeoutError:
        log.error(f"Impatient call for {text!r} ran out of time (0.01s)")  # @imp_bad


async def main():
    log.info(f"Engines loaded: {len(ENGINES)}, failed: 0")
    await race("magandang umaga")
    await impatient("paalam")
    log.info("No more races")


if __name__ == "__main__":
    asyncio.run(main())
