"""Starts the fleet in phases and waits until every agent says that it is healthy."""
import logging
import queue
import sys
import threading
import time

logging.basicConfig(level=logging.INFO, stream=sys.stdout, format="%(asctime)s %(levelname)-8s %(message)s")
log = logging.getLogger("SystemLauncher")

CONFIG = {
    "phase_1_core": [("ServiceRegistry", 7200, 0.001, True), ("SystemDigitalTwin", 7220, 0.002, True)],
    "phase_2_models": [("ModelOpsCoordinator", 7211, 0.002, True), ("VRAMOptimizer", 5572, 0.0, False)],
    "phase_3_speech": [("StreamingSTT", 5800, 0.001, True)],
}
REQUIRED = {"ServiceRegistry", "SystemDigitalTwin", "ModelOpsCoordinator", "StreamingSTT"}


class AgentProcess:
    def __init__(self, name, port, boot, good):
        self.name, self.port, self.boot, self.good = name, port, boot, good
        self.ready = threading.Event()
        self.exit_code = None
        self.thread = None

    def _main(self):
        time.sleep(self.boot)
        if not self.good:
            self.exit_code = 1
        self.ready.set()

    def spawn(self):
        self.thread = threading.Thread(target=self._main, daemon=True)
        self.thread.start()
        log.info(f"[{self.name}] spawned, pid n/a, port {self.port}")

    def wait_healthy(self, timeout):
        if not self.ready.wait(timeout):
            raise TimeoutError(f"no health answer within {timeout}s")
        if self.exit_code is not None:
            raise ChildProcessError(f"exit code {self.exit_code}")


class SystemLauncher:
    def __init__(self, config):
        self.config = config
        self.running = []
        self.commands = queue.Queue()

    def start_agent(self, spec):
        agent = AgentProcess(*spec)
        log.info(f"▶️  Launching {agent.name} on port {agent.port}...")  # @agent
        agent.spawn()
        try:
            agent.wait_healthy(timeout=0.5)
        except (TimeoutError, ChildProcessError) as e:
            log.error(f"❌ {agent.name} did not come up: {e}")  # @agent_bad
            return False
        self.running.append(agent)
        log.info(f"✅ {agent.name} is healthy")  # @agent_ok
        return True

    def start_phase(self, phase, specs):
        log.info("-" * 50)
        log.info(f"🚦 Starting {phase} ({len(specs)} agents)")  # @phase
        failed = [s[0] for s in specs if not self.start_agent(s)]
        if failed and REQUIRED & set(failed):
            log.critical(f"{phase} failed, required agents are missing: {failed}")
            raise SystemExit(1)
        if failed:
            log.warning(f"{phase}: optional agents are missing: {failed}")
        log.info(f"🏁 {phase} complete: {len(specs) - len(failed)}/{len(specs)} agents up")  # @phase_ok

    def start_all(self):
        log.info("=" * 50)
        log.info("AI SYSTEM LAUNCHER v2.3")
        log.info("=" * 50)
        for phase, specs in self.config.items():
            self.start_phase(phase, specs)
        log.info(f"All phases processed. Running agents: {len(self.running)}")

    def monitor(self):
        while True:
            cmd, *args = self.commands.get()
            log.info(f"📟 Received command '{cmd}' {args}")  # @cmd
            if cmd == "quit":
                break
            if cmd == "restart":
                spec = next(s for specs in self.config.values() for s in specs if s[0] == args[0])
                if not self.start_agent(spec):
                    log.warning(f"[Monitor] {args[0]} stays down, next try at the next restart command")
            elif cmd == "status":
                for a in self.running:
                    log.info(f"[Monitor] {a.name}: port {a.port}, uptime {0.0:.1f}s, restarts 0, cpu 3%")
        return len(self.running)

    def stop_all(self):
        log.info("🛑 Shutting down all agents...")  # @stop
        for agent in reversed(self.running):
            agent.thread.join()
            log.info(f"[{agent.name}] terminated")
        self.running.clear()
        log.info("Shutdown completed. Goodbye!")  # @stop_ok


if __name__ == "__main__":
    launcher = SystemLauncher(CONFIG)
    try:
        launcher.start_all()
        for command in (("restart", "VRAMOptimizer"), ("status",), ("restart", "StreamingSTT"), ("quit",)):
            launcher.commands.put(command)
        launcher.monitor()
    except KeyboardInterrupt:
        log.info("Ctrl-C")
    finally:
        launcher.stop_all()
