"""Loggers of the logs API that start our providers when their first record is emitted."""

from __future__ import annotations

from typing import Any

from opentelemetry._logs import _internal as api

from obs_run.base import guard
from obs_run.sdk import providers, starting


class LateLogger(api.ProxyLogger):
    """The API's stand-in; it starts our providers and follows a change of the provider."""

    _asked: Any = None

    @property
    def _logger(self) -> api.Logger:
        provider = guard.call("set-up", starting.provider, api, "_LOGGER_PROVIDER")
        if provider is None:
            return self._noop_logger
        if provider is not self._asked:
            self._real_logger = provider.get_logger(self._name, self._version, self._schema_url, self._attributes)
            self._asked = provider
        return self._real_logger or self._noop_logger


class LateLoggerProvider(api.ProxyLoggerProvider):
    """The API's stand-in for a provider, until there is one."""

    def get_logger(self, *args: Any, **kwargs: Any) -> api.Logger:
        """Return a logger that starts nothing yet."""
        chosen = providers.global_logger_provider()
        return LateLogger(*args, **kwargs) if chosen is None else chosen.get_logger(*args, **kwargs)
