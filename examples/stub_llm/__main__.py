"""Serve the stub from the command line until interrupted."""

import argparse
import runpy
import sys
import threading
from pathlib import Path


def main() -> None:
    """Start the stub, print its URL, and wait for Ctrl-C."""
    from .server import StubServer

    parser = argparse.ArgumentParser(prog="stub_llm", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--port-file", type=Path, help="file that gets the port once the server listens")
    options = parser.parse_args()
    with StubServer(host=options.host, port=options.port) as stub:
        print(stub.url, flush=True)
        if options.port_file:
            draft = options.port_file.with_suffix(".part")
            draft.write_text(f"{stub.port}\n")
            draft.replace(options.port_file)
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            return


if __name__ == "__main__":
    if __package__:
        main()
    else:  # run as a folder: come back as a package, so that relative imports work
        folder = Path(__file__).resolve().parent
        sys.path[0] = str(folder.parent)
        runpy.run_module(folder.name, run_name="__main__", alter_sys=True)
