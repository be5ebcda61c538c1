"""State machines of two doors, stepped in turn by one thread; states are entered and left."""
import logging
import time

logging.basicConfig(level=logging.DEBUG, format="%(relativeCreated)d %(name)s %(levelname)s %(message)s")

TABLE = {
    ("IDLE", "push"): "OPENING",
    ("OPENING", "limit"): "OPEN",
    ("OPENING", "jam"): "FAULT",
    ("OPEN", "timeout"): "CLOSING",
    ("CLOSING", "limit"): "IDLE",
    ("FAULT", "reset"): "IDLE",
}
TOLD = {"OPENING", "OPEN", "CLOSING", "FAULT"}


class Door:
    def __init__(self, name):
        self.log = logging.getLogger(f"door.{name}")
        self.name = name
        self.state = "IDLE"
        self.since = time.monotonic()
        self.log.info(f"{name} ready in state IDLE")

    def fire(self, event):
        self.log.debug(f"{self.name} event={event} state={self.state}")
        target = TABLE.get((self.state, event))
        if target is None:
            self.log.warning(f"{self.name} ignores '{event}' while {self.state}")
            return
        self._leave(target)
        self._enter(target, event)

    def _leave(self, target):
        if self.state in TOLD:
            spent = (time.monotonic() - self.since) * 1000
            self.log.info(f"{self.name} leaving {self.state} for {target} ({spent:.0f} ms in state)")  # @leave

    def _enter(self, target, event):
        self.state = target
        self.since = time.monotonic()
        if target not in TOLD:
            self.log.info(f"{self.name} is {target} again")
            return
        self.log.info(f"{self.name} entering {target}")  # @enter
        if target == "OPENING":
            self.drive(90)
        elif target == "CLOSING":
            self.drive(0)
        elif target == "FAULT":
            self.log.error(f"{self.name} jammed, power cut")

    def drive(self, angle):
        self.log.info(f"{self.name}: driving motor to {angle} degrees")  # @drive
        time.sleep(0.004)
        if self.name == "north" and angle == 0:
            self.log.info(f"{self.name}: obstacle seen, motor stopped early")  # @drive_early
            return
        self.log.info(f"{self.name}: motor at {angle} degrees")  # @drive_ok


def main():
    logging.info("2 doors configured, loop started")
    doors = {n: Door(n) for n in ("north", "south")}
    story = [
        ("north", "push"), ("south", "push"), ("north", "limit"), ("south", "push"),
        ("south", "jam"), ("north", "timeout"), ("south", "reset"), ("north", "limit"),
    ]
    for who, event in story:
        doors[who].fire(event)
        time.sleep(0.006)
    logging.info("story over: %s", {n: d.state for n, d in doors.items()})


main()
