"""A robot arm: goals are accepted here and reported there, by callback."""
import logging

logging.basicConfig(level=logging.INFO, format="[%(levelname)s] [%(name)s]: %(message)s")


class Controller:
    """Moves one step whenever spun; calls back when the goal is reached."""

    def __init__(self):
        self.active = {}
        self.log = logging.getLogger("arm.controller")

    def send(self, handle, path, done):
        self.active[handle] = (list(path), done)

    def spin(self):
        for handle in list(self.active):
            path, done = self.active[handle]
            if not path:
                del self.active[handle]
                done(handle, None)
                continue
            joint = path.pop(0)
            self.log.info("goal %s at joint angle %.1f", handle, joint)
            if joint > 170:
                del self.active[handle]
                done(handle, f"angle {joint} beyond limit")


class Choreographer:
    def __init__(self, controller):
        self.controller = controller
        self.log = logging.getLogger("arm.choreographer")
        self.serial = 0
        self.results = {}

    def goto(self, pose, path):
        self.serial += 1
        handle = f"g{self.serial}"
        self.log.info("Goal %s accepted: pose '%s' in %d waypoints", handle, pose, len(path))  # @accepted
        self.controller.send(handle, path, self.on_done)
        return handle

    def on_done(self, handle, problem):
        self.results[handle] = problem
        if problem:
            self.log.error("Goal %s aborted: %s", handle, problem)  # @aborted
            return
        self.log.info("Goal %s succeeded", handle)  # @succeeded

    def grip(self, force):
        self.log.info(f"Gripper: closing with {force} N")  # @grip
        if force > 40:
            self.log.warning("Gripper: too strong, half of it will do")
            force /= 2
        self.log.info(f"Gripper: closed at {force} N")  # @gripped

    def calibrate(self):
        self.log.info("Calibration, please keep 2 m away, it may take up to 30 seconds")  # @calibrate
        for axis in "xyz":
            self.log.info(f"axis {axis}: offset 0.{ord(axis)} mm")
        self.log.info("Calibration done in 1.8 s")  # @calibrated


def main():
    controller = Controller()
    dance = Choreographer(controller)
    dance.calibrate()
    dance.goto("wave", [10, 20, 30])
    controller.spin()
    dance.goto("bow", [90])
    controller.spin()
    dance.grip(60)
    dance.goto("backflip: completed", [100, 175])
    for _ in range(4):
        controller.spin()
    states = {h: "failed" if p else "done" for h, p in dance.results.items()}
    dance.log.info(f"Final states: {states}, joints idle for 0.0 s")


main()
