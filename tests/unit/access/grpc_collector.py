"""A collector that takes spans by gRPC (CERTIFICATE KEY AUTHORITY, - for none) and prints a line for each export."""

from __future__ import annotations

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from pathlib import Path
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

grpc: Any = import_module("grpc")


def export(request: ExportTraceServiceRequest, context: Any) -> ExportTraceServiceResponse:
    names = [span.name for of in request.resource_spans for scope in of.scope_spans for span in scope.spans]
    headers = dict(context.invocation_metadata())
    print(json.dumps({"spans": names, "headers": headers}), flush=True)
    return ExportTraceServiceResponse()


server = grpc.server(ThreadPoolExecutor(2))
handler = grpc.unary_unary_rpc_method_handler(
    export, ExportTraceServiceRequest.FromString, ExportTraceServiceResponse.SerializeToString
)
name = "opentelemetry.proto.collector.trace.v1.TraceService"
server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(name, {"Export": handler}),))
certificate, key, authority = (None if path == "-" else Path(path).read_bytes() for path in sys.argv[1:])
if certificate is None:
    port = server.add_insecure_port("127.0.0.1:0")
else:
    credentials = grpc.ssl_server_credentials([(key, certificate)], authority, authority is not None)
    port = server.add_secure_port("127.0.0.1:0", credentials)
server.start()
print(port, flush=True)
sys.stdin.read()
server.stop(None).wait()
