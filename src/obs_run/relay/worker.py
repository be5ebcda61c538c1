"""The relay of one configuration: it reads the buffers of its agents and exports what they hold."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING, Any, NamedTuple

from obs_run import settings
from obs_run.base import guard
from obs_run.buffer import relay_client, segment
from obs_run.pipeline import open_spans
from obs_run.pipeline.delivery_threads import DeliveryThreads
from obs_run.pipeline.export_pipeline import ExportPipeline
from obs_run.pipeline.losses import Losses, Reason
from obs_run.pipeline.otlp_destination import OtlpDestination
from obs_run.process.unpatched import monotonic
from obs_run.relay import progress, status, supervisor
from obs_run.relay.agent import Agent
from obs_run.relay.arrivals import Arrivals
from obs_run.relay.batches import Batches
from obs_run.relay.services import Services
from obs_run.runtime import destinations

if TYPE_CHECKING:
    from obs_run.relay.agent import Position

UNREADABLE = Reason("could not be read from the buffer")
NO_ROOM = Reason("buffer full (OBS_QUEUE_BYTES)")
_PIECE = 1 << 20
_PAGE_SECONDS = 86400.0
"""How long a relay that Prometheus asks stays without an agent, at least."""
_SOON = 1.0
"""How long after the end of an agent metrics are exported."""
_FLUSH_PATIENCE = 2.0
"""How long somebody who asks for a flush has destinations waited for."""
_SHORT_PAUSE, _LONG_PAUSE = 0.05, 0.25
_SECONDS_ACTIVE = 2.0
"""How long after the last record the buffers are looked at often."""


class _Checkpoint(NamedTuple):
    """How far everything had been read when nothing waited to be given to destinations."""

    positions: dict[str, Position]
    over: frozenset[str]
    """The buffers that had been read to the end of their process."""


class Relay:
    """Reads the buffers in ``path`` and exports them; ends after ``quiet`` seconds without an agent."""

    def __init__(self, path: str, quiet: float) -> None:
        self._path = path
        self._quiet = quiet
        self._supervisor = supervisor.last_one(os.path.dirname(path))
        self.losses = Losses()
        threads = DeliveryThreads()
        self.destinations = destinations.make_all(self.losses, destinations.make_spool(self.losses), threads)
        threads.start(destinations.number_of_otlp())
        self._batches = Batches(self.destinations, self._note_given)
        self._services = Services()
        self.agents: dict[str, Agent] = {}
        self._pipelines: dict[str, ExportPipeline] = {}
        self._resumed = progress.read(path)
        self._given = progress.read_given(path)
        self._delay: float = min(1.0, settings.get("OTEL_BSP_SCHEDULE_DELAY"))
        self._interval: float = settings.get("OTEL_METRIC_EXPORT_INTERVAL")
        self._metrics_due = monotonic() + self._interval
        self._open_age: float = settings.get("OBS_OPEN_SPANS_SECONDS")
        self._open_due = monotonic()
        self._active_until = 0.0
        self._is_dirty = False
        """Whether anything was read that no checkpoint has."""
        self._checkpoint: _Checkpoint | None = None
        """What is to be written down when destinations have dealt with it."""
        self._stopping = False
        self._status = status.Status(path)
        self._arrivals = Arrivals(path)
        if "prometheus" in destinations.names("metrics"):
            from obs_run.relay import prometheus_page

            # Whoever asks would take its end for that of the agents, and its next beginning for one at zero.
            self._quiet = max(quiet, _PAGE_SECONDS)
            guard.call("Prometheus endpoint", prometheus_page.serve, self._services)

    def run(self) -> None:
        """Work until there is nothing to do for long enough, or SIGTERM."""
        signal.signal(signal.SIGTERM, self._stop)
        busy_at = monotonic()
        while not self._stopping and self._is_wanted():
            guard.call("relay", self.turn)
            now = monotonic()
            if self.agents or self._has_more_to_write_down() or self._is_delivering():
                busy_at = now
            if now - busy_at > self._quiet:
                break
            self._arrivals.wait(_SHORT_PAUSE if now < self._active_until else _LONG_PAUSE)
        self.close()

    def _is_wanted(self) -> bool:
        """Whether its folder is there, and no new supervisor, which begins another relay for it."""
        return os.path.isdir(self._path) and supervisor.last_one(os.path.dirname(self._path)) == self._supervisor

    def _stop(self, *_: object) -> None:
        self._stopping = True

    def turn(self) -> None:
        """Read what there is, export what is due, and write down what is done."""
        is_asked = os.path.lexists(os.path.join(self._path, relay_client.READ_NOW))
        guard.call("relay", self._find_agents)
        is_paused = self._is_paused()
        has_ended = False if is_paused else self._read_agents()
        if is_paused:
            self._watch_agents()
        elif self._open_age and monotonic() >= self._open_due:
            self._show_open()
        if self._checkpoint is None or is_asked or self._stopping:
            self._batches.flush(0.0 if is_asked or has_ended or self._stopping else self._delay)
        for destination in self.destinations.all():
            guard.call("export", destination.retry_pending, None)
        if has_ended:
            # A script that lasts a second is over long before the next time.
            self._metrics_due = min(self._metrics_due, monotonic() + _SOON)
        if monotonic() >= self._metrics_due:
            self._export_metrics()
        self._write_down()
        self.losses.report()
        self._status.write(self.describe)
        if is_asked and not is_paused and not any(agent.is_ending() for agent in self.agents.values()):
            self._export_metrics()
            deadline = monotonic() + _FLUSH_PATIENCE
            for destination in self.destinations.all():
                guard.call("export", destination.wait, deadline)
            guard.call("relay", os.unlink, os.path.join(self._path, relay_client.READ_NOW))

    def _find_agents(self) -> None:
        files = os.listdir(self._path)
        for name in files:
            pid = segment.parse_temporary_name(name)
            if pid is not None and not os.path.exists(f"/proc/{pid}"):
                # Killed amid the making of a segment.
                guard.call("buffer", os.unlink, os.path.join(self._path, name))
        # Of those of one buffer the lowest comes last.
        first = dict(sorted(filter(None, map(segment.parse_name, files)), reverse=True))
        for buffer, number in first.items():
            if buffer not in self.agents:
                agent = Agent(self._path, buffer, self._services)
                agent.mark_until(self._given.get(buffer, (0, 0)))
                if buffer in self._resumed:
                    guard.call("progress", agent.resume, self._resumed.pop(buffer))
                self.agents[buffer] = agent
            self.agents[buffer].skip_to(number)

    def _is_paused(self) -> bool:
        """Whether agents' buffers are to hold what comes, because destinations have not dealt with what came before.

        Were they given ever more, there would never be a time at which all that was read is done.
        """
        return self._checkpoint is not None and self._batches.are_full() and not self._is_settled()

    def _watch_agents(self) -> None:
        for agent in self.agents.values():
            guard.call("buffer", agent.watch)

    def _read_agents(self) -> bool:
        """Read all agents, and return whether one has come to its end."""
        has_ended = False
        for buffer, agent in list(self.agents.items()):
            items = guard.call("buffer", agent.read, _PIECE, default=())
            if items:
                self._active_until = monotonic() + _SECONDS_ACTIVE
                self._is_dirty = True
                self._pipeline(buffer, agent).export(items, None)
            self._count_lost(agent)
            if agent.is_over:
                has_ended = self._is_dirty = True
        return has_ended

    def _show_open(self) -> None:
        """Export what is open for long."""
        self._open_due = monotonic() + open_spans.period(self._open_age)
        for buffer, agent in self.agents.items():
            items = guard.call("open spans", agent.open_items, self._open_age, default=())
            if items:
                self._is_dirty = True
                pipeline = self._pipeline(buffer, agent)
                pipeline.export(items, None)
                # For the relay after this one.
                agent.announced_run = pipeline.announced_run

    def _note_given(self) -> None:
        """Write down what destinations are about to have, for the case that this relay is killed before it is done."""
        places = {name: each.place() for name, each in self.agents.items()}
        guard.call("progress", progress.write_given, self._path, places)

    def _pipeline(self, buffer: str, agent: Agent) -> ExportPipeline:
        pipeline = self._pipelines.get(buffer)
        if pipeline is None:
            service = agent.service or self._services.of(agent.resource.attributes)
            pipeline = self._pipelines[buffer] = ExportPipeline(
                self._batches.destinations,
                self.losses,
                service.metering,
                lambda: agent.resource,
                lambda: None,
                self._interval,
            )
            pipeline.announced_run = agent.announced_run
        return pipeline

    def _count_lost(self, agent: Agent) -> None:
        unreadable, agent.unreadable = agent.unreadable, 0
        dropped, agent.dropped = agent.dropped, 0
        self.losses.count(unreadable, UNREADABLE)
        self.losses.count(dropped, NO_ROOM)
        for signal_name, number in agent.repeated.items():
            if number:
                agent.repeated[signal_name] = 0
                self.losses.count_repeated(number, signal_name, "relay")

    def _export_metrics(self) -> None:
        self._metrics_due = monotonic() + self._interval
        counts = self.losses.take_counts()
        repeated = self.losses.take_repeated()
        for number, service in enumerate(self._services.all()):
            if counts and number == 0:
                guard.call("measurement", service.metering.count_lost, counts)
            if repeated and number == 0:
                guard.call("measurement", service.metering.count_repeated, repeated)
            for data in guard.call("metrics", service.collect, default=()):
                for destination in self.destinations.metrics:
                    guard.call("export", destination.export, data, None)

    def _write_down(self) -> None:
        """Have the next relay go on from where all is done; then let go of what was read until there."""
        self._finish_checkpoint()
        if self._checkpoint is None and self._is_dirty and self._batches.is_empty():
            positions = {name: agent.position() for name, agent in self.agents.items()}
            over = frozenset([name for name, agent in self.agents.items() if agent.is_over])
            self._checkpoint = _Checkpoint(positions, over)
            self._is_dirty = False
            self._finish_checkpoint()

    def _finish_checkpoint(self) -> None:
        if self._checkpoint is None or not self._is_settled():
            return
        (positions, over), self._checkpoint = self._checkpoint, None
        guard.call("progress", progress.write, self._path, positions)
        for buffer, position in positions.items():
            self.agents[buffer].let_go(position.number)
        for buffer in over:
            self.agents.pop(buffer).close()
            self._pipelines.pop(buffer, None)
            self._is_dirty = True

    def _has_more_to_write_down(self) -> bool:
        return self._is_dirty or self._checkpoint is not None

    def _is_settled(self) -> bool:
        """Whether all spans and log records that were given away have arrived, are counted as lost, or on the disk.

        Metrics are told again anyway, and a collector that takes none is to hold up nothing else.
        """
        given = [*self.destinations.traces, *self.destinations.logs]
        return all(each.is_settled() for each in given if isinstance(each, OtlpDestination))

    def _is_delivering(self) -> bool:
        """Whether a destination has anything to try again."""
        return any(
            guard.call("export", destination.seconds_until_due) is not None for destination in self.destinations.all()
        )

    def describe(self) -> dict[str, Any]:
        """Return the agents, and what each destination has waiting, for people."""
        waiting = [
            {"signal": name, "waiting": len(getattr(each, "buffer", ()))}
            for name in ("traces", "logs", "metrics")
            for each in getattr(self.destinations, name)
        ]
        agents = [{"name": each.name(), "pid": each.pid()} for each in self.agents.values()]
        return {"agents": agents, "destinations": waiting}

    def close(self) -> None:
        """Export what is there, and end."""
        self._stopping = True
        guard.call("relay", self.turn)
        guard.call("metrics", self._export_metrics)
        deadline = monotonic() + settings.get("OBS_FLUSH_SECONDS")
        for destination in self.destinations.all():
            guard.call("export", destination.close, deadline)
        guard.call("relay", self._write_down)
        self.losses.report(final=True)
        self._status.write(self.describe, is_over=True)
