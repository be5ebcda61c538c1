"""A simultaneous exhibition: one asyncio task per board."""
import asyncio
import logging
import sys

logging.basicConfig(stream=sys.stdout, level=logging.DEBUG, format="%(message)s")
logging.getLogger("asyncio").setLevel(logging.WARNING)
log = logging.getLogger("simul")


async def tablebase(game):
    log.debug(f"game {game}: asking the tablebase")  # @tb
    await asyncio.sleep(0.02)
    if game == "K9":
        log.warning(f"game {game}: tablebase does not answer, playing on instinct")  # @tb_none
        return None
    log.debug(f"game {game}: tablebase says draw")  # @tb_draw
    return "draw"


async def think(game, delay, budget=5):
    log.info(f"game {game}: thinking about move 12 (budget {budget}s)")  # @think
    try:
        await asyncio.sleep(delay)
        if game == "Z3":
            raise LookupError("no legal move in position 8/8/8")
        verdict = await tablebase(game)
        log.info(f"game {game}: clock check, 4.2s used")
        await asyncio.sleep(0.02)
    except asyncio.CancelledError:
        log.warning(f"game {game}: stopped thinking, opponent resigned")  # @stop
        raise
    except LookupError:
        log.error(f"game {game}: engine error, offering a draw", exc_info=True)  # @blunder
        return None
    log.info(f"game {game}: plays Nf3 (verdict {verdict})")  # @plays
    return "Nf3"


async def referee():
    for n in range(3):
        log.debug(f"referee: tick {n}, 4 boards started, 0 finished")
        await asyncio.sleep(0.02)


async def simul():
    log.info("simultaneous exhibition on 4 boards is on")  # @simul
    side = asyncio.create_task(referee())
    tasks = {}
    for game, delay in (("A1", 0.03), ("K9", 0.05), ("Z3", 0.07), ("Q7", 5)):
        tasks[game] = asyncio.create_task(think(game, delay))
    await asyncio.sleep(0.01)
    log.info("all boards are started, spectators may enter")
    await asyncio.sleep(0.14)
    tasks["Q7"].cancel()
    done = await asyncio.gather(*tasks.values(), return_exceptions=True)
    await side
    moves = [d for d in done if d == "Nf3"]
    log.info(f"exhibition closed, {len(moves)} moves played, 1 error")  # @closed


asyncio.run(simul())
