"""Greenhouse gateway: takes commands from MQTT-like topics, drives valves and OTA updates."""
import json
import sys
import time

import structlog

structlog.configure(
    processors=[
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="%H:%M:%S"),
        structlog.dev.ConsoleRenderer(colors=False),
    ],
    logger_factory=structlog.PrintLoggerFactory(sys.stdout),
)

MESSAGES = [
    ("sensor/zone-1/soil", {"moisture": 0.18}),
    ("cmd/zone-1/water", {"id": 17, "bed": 2, "seconds": 5}),
    ("sensor/zone-2/battery", {"percent": 9}),
    ("cmd/zone-2/ota", {"id": 18, "version": "1.5.0"}),
    ("cmd/zone-1/ota", {"id": 19, "version": "1.5.0"}),
    ("cmd/zone-3/disco", {"id": 20}),
]


class Rejected(Exception):
    pass


class Gateway:
    def __init__(self):
        self.log = structlog.get_logger(component="gateway")
        self.battery = {"zone-1": 88, "zone-2": 80}
        self.versions = {"zone-1": "1.4.2", "zone-2": "1.4.2"}

    def connect(self, host):
        self.log.info("connecting to broker", host=host, keepalive=60)  # @conn
        time.sleep(0.002)
        for topic in ("cmd/#", "sensor/#"):
            self.log.debug("subscribed", topic=topic, qos=1)
        self.log.info("connected to broker", host=host, session_present=False)  # @conn_ok

    def water(self, log, zone, body):
        log.info("watering bed", bed=body["bed"], planned_seconds=body["seconds"])  # @water
        for ml in (40, 80, 120):
            log.debug("flow meter", ml=ml)
            time.sleep(0.001)
        log.info("watering done", bed=body["bed"], ml=120)  # @water_ok

    def ota(self, log, zone, body):
        if self.battery[zone] < 20:
            raise Rejected(f"battery at {self.battery[zone]}%, need 20%")
        log.info("firmware update begins", frm=self.versions[zone], to=body["version"])  # @ota
        log.info("downloading image", size_kb=412)  # @dl
        for percent in (25, 50, 75, 100):
            log.debug("download progress", percent=percent)
            time.sleep(0.001)
        log.info("image downloaded", sha256="be77aa")  # @dl_ok
        self.versions[zone] = body["version"]
        log.info("device rebooted", uptime_s=0)
        log.info("firmware update complete", version=body["version"])  # @ota_ok

    def on_command(self, zone, verb, body):
        log = self.log.bind(zone=zone, msg=body["id"])
        log.info("command received", verb=verb)  # @cmd
        try:
            action = {"water": self.water, "ota": self.ota}.get(verb)
            if action is None:
                raise Rejected("no such verb")
            action(log, zone, body)
            log.info("command acknowledged", verb=verb)  # @cmd_ok
        except Rejected as exc:
            log.error("command failed", verb=verb, reason=str(exc))  # @cmd_no

    def on_sensor(self, zone, kind, body):
        if kind == "battery":
            self.battery[zone] = body["percent"]
            if body["percent"] < 10:
                self.log.warning("battery nearly empty", zone=zone, **body)
        else:
            self.log.info("reading", zone=zone, kind=kind, **body)

    def loop(self, messages):
        for topic, body in messages:
            root, zone, what = topic.split("/")
            body = json.loads(json.dumps(body))
            (self.on_command if root == "cmd" else self.on_sensor)(zone, what, body)
        self.log.info("no more messages", failed=2, ok=2)


if __name__ == "__main__":
    gw = Gateway()
    gw.connect("mqtt.local")
    gw.loop(MESSAGES)
    gw.log.info("gateway stopped", reason="end of input")
