"""A server that speaks OpenAI's wire format, offline and always with the same answers."""

from .server import StubServer

__all__ = ["StubServer"]
