from tests.e2e.backends.fixtures import backend_tool, backends

__all__ = ["backend_tool", "backends"]
