"""obs-run: one command makes any AI agent observable."""

TYPE_CHECKING = False  # importing this package loads nothing, the module typing neither
if TYPE_CHECKING:
    from typing import Any

    from obs_run._version import __version__
    from obs_run.audit_trail import audit

__all__ = ["__version__", "audit"]


def __getattr__(name: str) -> "Any":
    """Load a public name at its first use."""
    if name == "audit":
        from obs_run.audit_trail import audit

        globals()[name] = audit
        return audit
    if name == "__version__":
        from obs_run._version import __version__

        globals()[name] = __version__
        return __version__
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
