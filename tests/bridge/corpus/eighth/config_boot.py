"""An agent that boots: settings, plug-ins, ports; one boot fails for good."""
import json
import logging
import pathlib
import socket
import sys

logger = logging.getLogger("boot")
logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(name)s: %(message)s")


class BootError(RuntimeError):
    pass


class Boot:
    def __init__(self, path):
        self.path, self.settings, self.plugins, self.sock = pathlib.Path(path), {}, [], None

    def read_settings(self):
        logger.info("Reading settings from %s", self.path.name)  # @set
        try:
            self.settings = json.loads(self.path.read_text())
        except FileNotFoundError:
            logger.warning("%s does not exist, defaults are used", self.path.name)  # @set_none
            self.settings = {"plugins": ["json", "no_such_plugin"], "port": 0}
            return
        except ValueError as e:
            logger.critical("Settings are invalid: %s", e)  # @set_bad
            raise BootError("settings") from e
        logger.info("%d settings read", len(self.settings))  # @set_ok

    def load_plugins(self):
        for name in self.settings["plugins"]:
            logger.info("Loading plugin %s", name)  # @plug
            try:
                self.plugins.append(__import__(name))
            except ImportError as e:
                logger.error("Plugin %s could not be loaded: %s", name, e)  # @plug_bad
                continue
            logger.info("Plugin %s loaded", name)  # @plug_ok

    def bind(self):
        logger.info("Binding control socket")  # @bind
        self.sock = socket.socket()
        self.sock.bind(("127.0.0.1", self.settings["port"]))
        logger.info("Control socket bound")  # @bind_ok

    def up(self):
        logger.info("Booting agent")  # @boot
        try:
            self.read_settings()
            self.load_plugins()
            self.bind()
        except BootError as e:
            logger.critical("Boot failed (%s), giving up", e)  # @boot_bad
            return False
        logger.info("Agent booted with %d plugins", len(self.plugins))  # @boot_ok
        return True

    def down(self):
        logger.info("Closing control socket")  # @close
        self.sock.close()
        logger.info("Closed")  # @close_ok


pathlib.Path("good.json").write_text('{"plugins": ["csv"], "port": 0}')
pathlib.Path("bad.json").write_text('{"plugins": ')
for name in ("good.json", "none.json", "bad.json"):
    boot = Boot(name)
    if boot.up():
        boot.down()
