"""obs-run: one command makes any AI agent observable."""

from obs_run._version import __version__

__all__ = ["__version__"]
