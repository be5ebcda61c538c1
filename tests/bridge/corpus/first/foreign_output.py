"""Runs other programs and passes their output on, line by line."""
import logging
import subprocess
import sys

logging.basicConfig(level=logging.INFO, format="%(name)s %(levelname)s %(message)s")
log = logging.getLogger("launcher")
CHATTER = logging.getLogger("launcher.child")

JOBS = {
    "indexer": "print('Starting indexer...'); print('ERROR: failed to load'); print('Indexing finished in 3.2s')",
    "trainer": "import sys; print('Epoch 1 of 2 started'); sys.exit(3)",
}


class Launcher:
    def __init__(self):
        self.codes = {}

    def forward(self, name, text):
        for line in text.splitlines():
            CHATTER.info(f"{name}| {line}")
            if "ERROR" in line:
                CHATTER.warning(f"{name} printed an error line")

    def launch(self, name, code):
        log.info(f"Launching {name}: python3 -c <{len(code)} chars>")  # @go
        try:
            done = subprocess.run([sys.executable, "-S", "-c", code], capture_output=True,
                                  text=True, timeout=10, check=False)
        except subprocess.TimeoutExpired:
            log.error(f"{name} had to be killed after 10 seconds")
            return
        log.info(f"Collecting {len(done.stdout)} characters of output")  # @coll
        self.forward(name, done.stdout)
        self.codes[name] = done.returncode
        if done.returncode:
            log.error(f"{name} exited with code {done.returncode}")  # @bad
        else:
            log.info(f"{name} exited normally")  # @ok


def main():
    launcher = Launcher()
    log.info("Launcher started. Child output follows; 'Starting ...' lines are the children's")
    for name, code in JOBS.items():
        launcher.launch(name, code)
    log.info(f"Exit codes: {launcher.codes}")


if __name__ == "__main__":
    main()
