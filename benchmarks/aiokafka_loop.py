"""Messages by Kafka in one task; prints the microseconds of each. Run by messages.py."""

from __future__ import annotations

import asyncio
import sys
import time
from importlib import import_module
from uuid import uuid4

ADDRESS, CASE, COUNT = sys.argv[1], sys.argv[2], int(sys.argv[3])
WARM = 100
_TEXT = b'{"action": "forecast", "city": "Lisbon", "request_id": "7"}'


async def main() -> None:
    kafka, topic = import_module("aiokafka"), uuid4().hex
    producer = kafka.AIOKafkaProducer(bootstrap_servers=ADDRESS)
    await producer.start()
    await producer.send_and_wait(topic, _TEXT)
    consumer = kafka.AIOKafkaConsumer(topic, bootstrap_servers=ADDRESS)
    await consumer.start()
    await consumer.seek_to_end()
    for _ in range(WARM):
        await producer.send_and_wait(topic, _TEXT)
        await consumer.getone()
    wall, cpu = time.perf_counter(), time.thread_time()
    for _ in range(COUNT):
        await producer.send_and_wait(topic, _TEXT)
        await consumer.getone()
    cpu, wall = time.thread_time() - cpu, time.perf_counter() - wall
    await consumer.stop()
    await producer.stop()
    print(cpu / COUNT * 1e6, wall / COUNT * 1e6)


asyncio.run(main())
