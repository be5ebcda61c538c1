"""What an agent did in a test, to assert on; the pytest plugin is in ``obs_run.testing.plugin``."""

TYPE_CHECKING = False  # pytest imports this package wherever it is installed
if TYPE_CHECKING:
    from typing import Any

    from obs_run.testing.recorded_run import RecordedRun

__all__ = ["RecordedRun"]


def __getattr__(name: str) -> "Any":
    """Load a public name at its first use."""
    if name == "RecordedRun":
        from obs_run.testing.recorded_run import RecordedRun

        globals()[name] = RecordedRun
        return RecordedRun
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
