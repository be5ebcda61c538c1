"""watsonx.ai's translation on events as they come over the wire."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from obs_instrumentors import watsonx

from obs_run.core.operations import Usage
from obs_run.core.outcomes import Call


def event(text: str, inputs: int, outputs: int, reason: str) -> dict[str, Any]:
    counts = {"input_token_count": inputs, "generated_token_count": outputs}
    return {"model_id": "ibm/granite", "results": [{"generated_text": text, "stop_reason": reason, **counts}]}


def test_events_count_the_output_so_far() -> None:
    operation = watsonx.Continuation("text_completion")
    for told in (event("a", 7, 1, "not_finished"), event("b", 0, 2, "not_finished"), event("", 0, 2, "max_tokens")):
        watsonx.note_event(operation, Call(None, (told,), {}))
    assert operation.usage == Usage(7, 2)
    assert operation.finish_reasons == ["length"]
    assert operation.response_model == "ibm/granite"


@pytest.mark.parametrize(
    ("told", "named"),
    [('{"errors": [{"code": "model_not_supported", "message": "x"}]}', "model_not_supported"), ("<html>", None)],
)
def test_the_services_own_code_names_the_error(told: str, named: str | None) -> None:
    operation = watsonx.Continuation("text_completion")
    error = type("ApiRequestFailure", (Exception,), {"response": SimpleNamespace(text=told)})()
    watsonx._read_failure(operation, error)
    assert operation.error_type == named


def test_a_deployment_is_the_model_where_no_other_is_named() -> None:
    credentials = SimpleNamespace(url="https://eu-de.ml.cloud.ibm.com")
    model = SimpleNamespace(
        model_id=None,
        deployment_id="travel",
        params={"max_new_tokens": 5},
        _client=SimpleNamespace(credentials=credentials),
    )
    operation, _ = watsonx.start_operation(
        watsonx._parse_prompt, 1, watsonx._GENERATION, Call(model, ("Where to?",), {})
    )
    told = operation.attributes()
    assert told["gen_ai.request.model"] == "travel"
    assert told["gen_ai.request.max_tokens"] == 5
    assert told["server.address"] == "eu-de.ml.cloud.ibm.com"
