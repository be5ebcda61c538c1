"""The official botocore instrumentor beside ours of Bedrock: each AWS call makes one span, models' calls ours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.instrumentors.agents import run_agent
from tests.instrumentors.environments import python_with

if TYPE_CHECKING:
    from pathlib import Path

BOTOCORE = "opentelemetry-instrumentation-botocore"
CALLS = """
import boto3, botocore.exceptions
def client(service):
    return boto3.client(service, endpoint_url=URL, region_name="us-east-1", aws_access_key_id="a",
                        aws_secret_access_key="b")
def tolerant(call, **arguments):
    try:
        call(**arguments)
    except botocore.exceptions.ClientError:
        pass
tolerant(client("dynamodb").list_tables)
tolerant(client("bedrock-runtime").converse, modelId="m", messages=[dict(role="user", content=[dict(text="Hi")])])
"""
EXPLICIT = """
from opentelemetry.instrumentation.botocore import BotocoreInstrumentor
BotocoreInstrumentor().instrument()
"""

pytestmark = [pytest.mark.environments, pytest.mark.timeout(900)]  # the environment may have to be made first


@pytest.fixture(scope="module", params=["0.60b0", "0.66b1"])
def python(request: pytest.FixtureRequest) -> Path:
    return python_with("boto3", f"{BOTOCORE}=={request.param}")


@pytest.mark.parametrize("explicit", ["", EXPLICIT], ids=["by the launcher", "by the agent"])
def test_a_model_s_call_is_ours_and_the_rest_theirs(python: Path, stub: Any, explicit: str) -> None:
    recorded = run_agent(python, explicit + CALLS, stub.origin, OBS_HTTP_SPANS="kept")
    scopes = {span["name"]: span["scope"].split(".")[:3] for span in recorded.spans}
    assert scopes == {"chat m": ["obs_run"], "DynamoDB.ListTables": ["opentelemetry", "instrumentation", "botocore"]}
    by_the_agent = "left to the agent, which imports it"
    assert recorded.outcomes[f"{BOTOCORE}, botocore"] == (by_the_agent if explicit else "active")
    assert recorded.err == ""


def test_theirs_has_the_models_where_ours_is_off(python: Path, stub: Any) -> None:
    off = {"OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": "bedrock"}
    recorded = run_agent(python, CALLS, stub.origin, **off)
    assert [scope.split(".")[2] for scope in recorded.scopes()] == ["botocore", "botocore"]


@pytest.mark.parametrize("hosts", ["private", "none"])
def test_the_header_of_aws_goes_to_allowed_hosts(python: Path, stub: Any, hosts: str) -> None:
    stub.reset()
    run_agent(python, CALLS, stub.origin, OBS_PROPAGATE_HOSTS=hosts)
    assert len(stub.requests) > 1
    for request in stub.requests:
        assert ("x-amzn-trace-id" in request["headers"]) == (hosts == "private")
