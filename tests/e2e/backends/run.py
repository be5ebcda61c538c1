"""Run Collector, Jaeger and Prometheus at their usual ports until interrupted; the argument is the folder for data."""

import signal
import socket
import sys
from pathlib import Path

from tests.e2e.backends import recipes, servers
from tests.ports import HOST

USUAL_PORTS = (4317, 4318, 14317, 16685, 16686, 13133, 13134, 8888, 8889, 9090)


def is_taken(port: int) -> bool:
    """Tell whether somebody listens at a port of this machine."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return True
    return False


def main() -> int:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "collector-data").absolute()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    taken = [port for port in USUAL_PORTS if is_taken(port)]
    if taken:
        sys.exit(f"port {', '.join(map(str, taken))} of 127.0.0.1 is in use: end what listens there")
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
