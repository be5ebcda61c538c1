"""The versions of the real backends, and what the Collector is built from.

After a change run `python -m tests.e2e.backends.lock` once; it writes the go.mod and go.sum beside this file anew.
"""

COLLECTOR = "0.161.0"
COLLECTOR_STABLE = "1.67.0"  # its stable modules of the same release
JAEGER = "1.76.0"  # the commit of 2.13.0, under the newest number that Go can name: without user interface
JAEGER_IMAGE = "2.20.0"  # the first whose user interface shows conversations
KAFKA = "4.3.1"
KAFKA_BROKER = "v0.0.0-20251021233722-4ca18825d8c0"  # later ones ask for a client that is not published yet
NATS_SERVER = "2.15.3"
NATS_SERVER_LEAST = "2.10"
CHROMIUM = "123.0"  # at least: the first with light-dark()
PROMETHEUS = "2.42"  # at least; Debian 12 has this one
ALERTMANAGER = "0.25"  # at least
REDIS_SERVER = "7.0"  # at least; Debian 12 has this one

_CORE = "go.opentelemetry.io/collector"
_CONTRIB = "github.com/open-telemetry/opentelemetry-collector-contrib"

# Only what otel-collector.yaml and configs/ use.
COLLECTOR_PARTS = {
    "receivers": [f"{_CORE}/receiver/otlpreceiver v{COLLECTOR}"],
    "processors": [f"{_CORE}/processor/memorylimiterprocessor v{COLLECTOR}"],
    "exporters": [
        f"{_CORE}/exporter/otlpexporter v{COLLECTOR}",
        f"{_CONTRIB}/exporter/fileexporter v{COLLECTOR}",
        f"{_CONTRIB}/exporter/prometheusexporter v{COLLECTOR}",
    ],
    "extensions": [
        f"{_CONTRIB}/extension/healthcheckextension v{COLLECTOR}",
        f"{_CONTRIB}/extension/storage/filestorage v{COLLECTOR}",
    ],
    "providers": [
        f"{_CORE}/confmap/provider/envprovider v{COLLECTOR_STABLE}",
        f"{_CORE}/confmap/provider/fileprovider v{COLLECTOR_STABLE}",
    ],
}
COLLECTOR_BUILDER = f"{_CORE}/cmd/builder@v{COLLECTOR}"
KAFKA_PACKAGE = "org.apache.kafka:kafka_2.13"
KAFKA_BROKER_MODULE = "github.com/twmb/franz-go/pkg/kfake"
NATS_SERVER_COMMAND = "github.com/nats-io/nats-server/v2"
JAEGER_COMMAND = "github.com/jaegertracing/jaeger/cmd/jaeger"
