"""A polling station behind a poller; JSON lines, the id is a field."""
import json
import logging
import sys

READABLE = 1


class AsJson(logging.Formatter):
    def format(self, record):
        row = {"level": record.levelname, "agent": record.name, "message": record.getMessage()}
        for key in ("request_id", "component"):
            if hasattr(record, key):
                row[key] = getattr(record, key)
        return json.dumps(row)


def json_logger(name, component):
    logger = logging.getLogger(name)
    logger.handlers.clear()
    sink = logging.StreamHandler(sys.stdout)
    sink.setFormatter(AsJson())
    logger.addHandler(sink)
    logger.setLevel(logging.INFO)
    logger.propagate = False
    return logging.LoggerAdapter(logger, {"component": component})


class Poller:
    def __init__(self, envelopes):
        self.envelopes = envelopes

    def poll(self, timeout):
        return [(7, READABLE)] if self.envelopes else []

    def read(self):
        return self.envelopes.pop(0)


class Station:
    def __init__(self, poller):
        self.logger = json_logger("station.4", "ballots")
        self.poller = poller
        self.urn = {}
        self.seen = set()

    def note(self, envelope):
        logger = logging.LoggerAdapter(self.logger.logger, {"component": "ballots", "request_id": envelope["id"]})
        logger.info("An envelope arrives")  # @arrives
        return logger

    def identity(self, logger, voter):
        logger.info("Register of voters, page turning")  # @register
        if voter in self.seen:
            logger.warning("Register of voters: name already crossed out")  # @crossed
            return False
        self.seen.add(voter)
        logger.info("Register of voters: name found and crossed out")  # @crossed_out
        return True

    def count(self, logger, choice):
        self.urn[choice] = self.urn.get(choice, 0) + 1
        logger.info(f"Ballot in the urn, {sum(self.urn.values())} so far")  # @urn

    def run(self):
        self.logger.info("Doors are open, poll timeout: 5s")
        while True:
            ready = self.poller.poll(timeout=5)
            if not ready:
                self.logger.info(f"Nobody in line; ballots received {sum(self.urn.values())}, rejected 1, failed 0")
                break
            for _, event in ready:
                if event != READABLE:
                    continue
                envelope = self.poller.read()
                logger = self.note(envelope)
                if envelope["choice"] == "observer":
                    logger.info("A chair by the window for the observer")
                    continue
                if not self.identity(logger, envelope["voter"]):
                    logger.error("Envelope refused")  # @refused
                    continue
                self.count(logger, envelope["choice"])


Station(Poller([
    {"id": "e1", "voter": "mira", "choice": "red"},
    {"id": "e2", "voter": "osce", "choice": "observer"},
    {"id": "e3", "voter": "jan", "choice": "blue"},
    {"id": "e4", "voter": "mira", "choice": "red"},
    {"id": "e5", "voter": "eva", "choice": "finished loading"},
])).run()
