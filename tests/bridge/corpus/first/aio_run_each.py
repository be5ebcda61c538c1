"""A synchronous bus consumer that opens an event loop for each message."""
import asyncio
import logging

logging.basicConfig(level=logging.INFO, format="%(asctime)s [%(levelname)s] %(message)s")
log = logging.getLogger("bus")

MESSAGES = [{"id": 71, "kind": "speak", "text": "good morning"},
            {"id": 72, "kind": "dance", "text": ""},
            {"id": 73, "kind": "speak", "text": "the engine started"}]


async def synthesize(part):
    log.info(f"🔊 Synthesizing '{part}'")  # @syn
    await asyncio.sleep(0.002 * len(part) / 5)
    log.info(f"🔊 Synthesized '{part}' ({len(part) * 40} bytes)")  # @syn_ok
    return len(part) * 40


async def speak(msg):
    parts = msg["text"].split()
    sizes = await asyncio.gather(*[synthesize(p) for p in parts])
    return sum(sizes)


async def on_message(msg):
    log.info(f"📨 Processing message {msg['id']} ({msg['kind']})")  # @msg
    if msg["kind"] != "speak":
        log.error(f"❌ Message {msg['id']} rejected: no handler for {msg['kind']}")  # @msg_bad
        return None
    size = await speak(msg)
    log.info(f"✅ Message {msg['id']} processed, {size} bytes of audio")  # @msg_ok
    return size


def consume():
    log.info("🚀 Bus consumer started")
    log.info(f"Polling every 2s, {len(MESSAGES)} messages pending")
    total = 0
    for msg in MESSAGES:
        total += asyncio.run(on_message(msg)) or 0
    log.info(f"💤 Nothing left to process (audio total: {total})")


if __name__ == "__main__":
    consume()
