"""Downloads of model files: checks first, clean-up in finally."""
import logging
import time

log = logging.getLogger("downloader")
log.setLevel(logging.INFO)
log.addHandler(logging.StreamHandler())

REMOTE = {"a.bin": 10, "b.bin": -1, "c.bin": 30}


class Downloader:
    def __init__(self):
        self.local = {"c.bin": 30}
        self.locks = set()

    def get(self, name):
        log.info(f"get({name}) called")  # @get
        if name in self.local:
            log.info(f"{name}: nothing to do, file is here")
            return True
        if name not in REMOTE:
            log.error(f"{name}: no such file on the server")  # @get_none
            return False
        self.locks.add(name)
        try:
            self.local[name] = self.transfer(name)
            return True
        except IOError as e:
            log.error(f"{name}: {e}")
            return False
        finally:
            self.locks.discard(name)
            log.info(f"get({name}) over, lock released")  # @get_over

    def transfer(self, name):
        log.info(f"Transfer of {name} has begun")  # @tr
        time.sleep(0.001)
        for percent in (25, 50, 75):
            log.info(f"... {percent}% of {name}")
            if REMOTE[name] < 0 and percent == 50:
                raise IOError("connection reset")
        log.info(f"Transfer of {name} is complete")  # @tr_ok
        return REMOTE[name]


def main():
    d = Downloader()
    got = [n for n in ("a.bin", "b.bin", "c.bin", "d.bin") if d.get(n)]
    log.info(f"{len(got)} files present, 2 failed downloads")


main()
