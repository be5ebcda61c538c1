from tests.e2e.backends.fixtures import backend_tool

__all__ = ["backend_tool"]
