"""Thermostats talk over a broker; the hub answers in subscribe callbacks."""
import logging
import logging.handlers
import queue

records = queue.Queue()
mesh = logging.getLogger("mesh")
mesh.setLevel(logging.INFO)
mesh.propagate = False
mesh.addHandler(logging.handlers.QueueHandler(records))
out = logging.StreamHandler()
out.setFormatter(logging.Formatter("%(created).3f %(message)s"))
listener = logging.handlers.QueueListener(records, out)


class Broker:
    def __init__(self):
        self.subscribers = {}
        self.outbox = []

    def subscribe(self, topic, callback):
        self.subscribers.setdefault(topic, []).append(callback)
        mesh.info(f"subscribed to {topic}")

    def publish(self, topic, **payload):
        for callback in self.subscribers.get(topic, []):
            callback(topic, payload)


class Hub:
    def __init__(self, broker):
        self.broker = broker
        self.target = {"kitchen": 20.0, "hall": 17.0}
        broker.subscribe("reading", self.on_reading)
        broker.subscribe("firmware", self.on_firmware)
        broker.subscribe("alive", self.on_alive)

    def on_reading(self, topic, payload):
        room, degrees = payload["room"], payload["degrees"]
        mesh.info(f"{topic}/{room}: message in, {degrees} °C")  # @reading
        if room not in self.target:
            mesh.error(f"{topic}/{room}: nobody lives there, message thrown away")  # @thrown
            return
        gap = self.target[room] - degrees
        if abs(gap) < 0.5:
            mesh.info(f"{topic}/{room}: close enough")
            return
        self.move_valve(room, gap)
        self.broker.outbox.append(("setpoint", room, self.target[room]))
        mesh.info(f"{topic}/{room}: setpoint sent")  # @setpoint

    def move_valve(self, room, gap):
        mesh.info(f"valve {room}: turning by {gap * 10:.0f} °")  # @valve
        position = max(0, min(100, 50 + gap * 10))
        mesh.info(f"valve {room}: in position {position:.0f} %")  # @in_position

    def on_firmware(self, topic, payload):
        room, image = payload["room"], payload["image"]
        mesh.info(f"{topic}/{room}: message in, {image} waits for upload")  # @upload
        for part in range(1, 4):
            mesh.info(f"{topic}/{room}: part {part} of 3 acknowledged")
            if payload.get("weak") and part == 2:
                mesh.error(f"{topic}/{room}: upload of {image} broken off, radio too weak")  # @broken
                return
        mesh.info(f"{topic}/{room}: upload of {image} ends, device restarts in 5s")  # @uploaded

    def on_alive(self, topic, payload):
        mesh.info(f"♥ {payload['room']} uptime {payload['uptime']}s, battery 81 %, failed joins 0")


if __name__ == "__main__":
    listener.start()
    broker = Broker()
    hub = Hub(broker)
    mesh.info("hub ready")
    broker.publish("alive", room="kitchen", uptime=3600)
    broker.publish("reading", room="kitchen", degrees=18.5)
    broker.publish("reading", room="hall", degrees=17.2)
    broker.publish("firmware", room="hall", image="v2-completed.bin")
    broker.publish("reading", room="attic", degrees=9.0)
    broker.publish("firmware", room="kitchen", image="v2-completed.bin", weak=True)
    broker.publish("alive", room="hall", uptime=3605)
    mesh.info("kitchen silent for 40s, next heartbeat due in 20s")
    listener.stop()
