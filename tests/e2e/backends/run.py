"""Run Collector, Jaeger and Prometheus at their usual ports until interrupted; the argument is the folder for data."""

import signal
import sys
from pathlib import Path

from tests.e2e.backends import recipes, servers


def main() -> int:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "collector-data").absolute()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with servers.backends(folder, usual_ports=True) as running:
            print(f"OTLP        {running.collector.otlp_http} and {running.collector.otlp_grpc} (gRPC)")
            print(f"Jaeger      {running.jaeger.url}")
            print(f"Prometheus  {running.prometheus.url}")
            print(f"Logs        {running.collector.log_file}", flush=True)
            signal.pause()
    except KeyboardInterrupt:
        return 0
    except (recipes.MissingError, AssertionError) as error:
        sys.exit(str(error))
    return 0


if __name__ == "__main__":
    sys.exit(main())
