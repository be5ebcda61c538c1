"""Mail assistant on a message bus: a callback per message, and an event loop per callback."""
import asyncio
import logging
import logging.config
import sys

logging.config.dictConfig({
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"f": {"format": "{asctime} {levelname} {name} {message}", "style": "{"}},
    "handlers": {"out": {"class": "logging.StreamHandler", "stream": "ext://sys.stdout", "formatter": "f"}},
    "loggers": {"mail": {"level": "DEBUG", "handlers": ["out"], "propagate": False}},
})
bus_log = logging.getLogger("mail.bus")
work_log = logging.getLogger("mail.work")


async def translate(mid, text):
    work_log.debug(f"{mid}: Tagalog to English, {len(text)} characters")  # @translate
    await asyncio.sleep(0.02)
    if "@@" in text:
        raise UnicodeError("mixed scripts")
    work_log.debug(f"{mid}: English version is there")  # @english
    return text.title()


async def mood(mid, text):
    work_log.debug(f"{mid}: guessing the mood")  # @mood
    await asyncio.sleep(0.04)
    work_log.debug(f"{mid}: mood is {'angry' if '!' in text else 'calm'}")  # @mood_is
    return "!" in text


async def keepalive(mid):
    while True:
        work_log.debug(f"{mid}: still processing, started 0s ago")
        await asyncio.sleep(0.03)


async def read_attachments(mid):
    work_log.info(f"{mid}: reading attachments")  # @attachments
    await asyncio.sleep(0)
    return []


async def handle(mid, text):
    alive = asyncio.ensure_future(keepalive(mid))
    await read_attachments(mid)
    english, angry = await asyncio.gather(translate(mid, text), mood(mid, text), return_exceptions=True)
    if isinstance(english, Exception):
        work_log.warning(f"{mid}: no English version ({english}), original is kept")  # @no_english
        english = text
    if angry and "refund" in text:
        raise PermissionError("refunds need a human")
    alive.cancel()
    work_log.info(f"{mid}: reply reads: Task failed successfully, loading completed. {english}")


def on_message(topic, mid, text):
    bus_log.info(f"📨 {mid} on {topic}")  # @mail
    if topic.endswith("/spam"):
        bus_log.info(f"🗑️ {mid} thrown away")  # @thrown
        return
    try:
        asyncio.run(handle(mid, text))
    except Exception as e:
        bus_log.error(f"📨 {mid} put aside: {type(e).__name__}: {e}")  # @aside
    else:
        bus_log.info(f"✅ {mid} answered")  # @answered


class Bus:
    def __init__(self, traffic):
        self.traffic = list(traffic)

    def loop_forever(self, callback):
        bus_log.info("Connected to bus://local, subscribed to inbox/#, keepalive 60s")
        while self.traffic:
            callback(*self.traffic.pop(0))
        bus_log.info("Disconnected from bus://local")


if __name__ == "__main__":
    Bus([
        ("inbox/private", "m-501", "kumusta ka"),
        ("inbox/spam", "m-502", "start winning now"),
        ("inbox/work", "m-503", "@@ error !"),
        ("inbox/work", "m-504", "refund!"),
    ]).loop_forever(on_message)
    sys.stdout.flush()
