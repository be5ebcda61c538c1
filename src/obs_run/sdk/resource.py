"""Who this process is: the OpenTelemetry resource."""

from __future__ import annotations

from opentelemetry.sdk.resources import Resource

from obs_run.process import resource_attributes


def make() -> Resource:
    """Return the resource of this process."""
    return Resource(resource_attributes.read())


def unknown() -> Resource:
    """Return the resource of a process that could not be described."""
    return Resource({"telemetry.distro.name": "obs-run", "service.name": "python"})


def in_child(parent: Resource) -> Resource:
    """Return the resource of a forked child."""
    return Resource(resource_attributes.in_child(parent.attributes))
