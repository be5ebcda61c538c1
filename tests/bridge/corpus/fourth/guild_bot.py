"""Chat bot for a gaming guild, loguru flavoured. The gateway is faked by a list."""
import asyncio
import random
import sys

from loguru import logger

logger.remove()
logger.add(sys.stdout, level="DEBUG", format="{time:HH:mm:ss.SSS} | {level: <8} | {extra} | {message}")

INCOMING = [
    ("m1", "ana", "!roll 2d6"),
    ("m2", "ben", "hello everybody, raid completed!"),
    ("m3", "ana", "!forecast Oslo"),
    ("m4", "cem", "!roll 2dx"),
    ("m5", "ben", "!dance"),
]


class Bot:
    def __init__(self):
        self.rng = random.Random(3)
        self.tries = 0
        self.commands = {"roll": self.cmd_roll, "forecast": self.cmd_forecast}
        logger.debug("commands registered: {}", ", ".join(self.commands))
        logger.info("Guild 'Night Owls', 42 members, rate limit 5 commands per 10s")

    async def connect(self):
        while True:
            self.tries += 1
            logger.info(f"🔌 Connecting to gateway, attempt {self.tries}")  # @conn
            await asyncio.sleep(0.002)
            if self.tries < 2:
                logger.warning("Gateway refused the connection (code 4008), backing off 1s")  # @conn_no
                continue
            logger.success("Connected to gateway as GuildBot#0001")  # @conn_ok
            return

    async def cmd_roll(self, arg):
        count, sides = arg.split("d")
        rolls = [self.rng.randint(1, int(sides)) for _ in range(int(count))]
        logger.debug(f"dice: {rolls}")
        return f"{sum(rolls)}"

    async def cmd_forecast(self, city):
        logger.debug(f"Fetching forecast for {city}")  # @fc
        await asyncio.sleep(0.003)
        logger.debug(f"Forecast for {city} fetched")  # @fc_ok
        return "rain"

    async def on_message(self, msg_id, author, text):
        if not text.startswith("!"):
            logger.debug(f"chatter from {author}: {text}")
            return
        name, _, arg = text[1:].partition(" ")
        with logger.contextualize(msg=msg_id):
            handler = self.commands.get(name)
            logger.debug(f"permissions of {author}: member, can_roll")
            if handler is None:
                logger.warning(f"{author} used unknown command !{name}")
                return
            logger.info(f"Handling command !{name} from {author}")  # @cmd
            try:
                answer = await handler(arg)
            except Exception:
                logger.exception(f"Command !{name} crashed")  # @cmd_err
                return
            await asyncio.sleep(0.001)
            logger.info(f"Command !{name} answered: {answer}")  # @cmd_ok

    async def presence(self):
        while True:
            logger.debug("presence: 42 online, latency 31ms")
            await asyncio.sleep(0.05)

    async def run(self):
        await self.connect()
        task = asyncio.create_task(self.presence())
        for msg in INCOMING:
            await self.on_message(*msg)
        task.cancel()
        logger.info("Gateway closed the stream, bye")


if __name__ == "__main__":
    asyncio.run(Bot().run())
