"""Metrics for people who write code: counters, gauges, histograms, timers, decorators and alerts on OpenTelemetry."""

from obs_run.metrics.alerts import Alert, AlertLevel
from obs_run.metrics.counter_gauge import Counter, Gauge
from obs_run.metrics.decorators import count_calls, measure_errors, measure_time
from obs_run.metrics.exporter import MetricsExporter
from obs_run.metrics.histogram_timer import Histogram, Timer, TimerContext
from obs_run.metrics.metric import MetricCollector
from obs_run.metrics.registry import (
    MetricsRegistry,
    counter,
    gauge,
    get_metrics_registry,
    histogram,
    time_operation,
    timer,
)
from obs_run.metrics.request_metrics import MetricsCollector
from obs_run.metrics.values import MetricType, MetricValue

__all__ = [
    "Alert",
    "AlertLevel",
    "Counter",
    "Gauge",
    "Histogram",
    "MetricCollector",
    "MetricType",
    "MetricValue",
    "MetricsCollector",
    "MetricsExporter",
    "MetricsRegistry",
    "Timer",
    "TimerContext",
    "count_calls",
    "counter",
    "gauge",
    "get_metrics_registry",
    "histogram",
    "measure_errors",
    "measure_time",
    "time_operation",
    "timer",
]
