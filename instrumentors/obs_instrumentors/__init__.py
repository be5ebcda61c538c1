"""One module for each library (or family of libraries): where to look, and what it means.

``TABLE`` is all that a process pays for at start: the modules to wait for, and who instruments them then.
"""

TABLE = {
    **{
        f"{package}.{module}": "obs_instrumentors.openai"
        for package in ("openai", "groq", "together", "cerebras.cloud.sdk", "fireworks")
        for module in ("_base_client", "_streaming", "_response")
    },
    **{
        f"cohere.{module}": "obs_instrumentors.cohere"
        for module in ("base_client", "client", "core.http_client", "raw_base_client", "v2.client", "v2.raw_client")
    },
    **{
        f"litellm{module}": "obs_instrumentors.litellm"
        for module in (
            "",
            ".litellm_core_utils.litellm_logging",
            ".litellm_core_utils.streaming_handler",
            ".responses.litellm_completion_transformation.streaming_iterator",
            ".responses.streaming_iterator",
            ".utils",
        )
    },
    "ollama._client": "obs_instrumentors.ollama",
    "openai.lib.streaming.chat._completions": "obs_instrumentors.openai",
    "openai.lib.streaming.responses._responses": "obs_instrumentors.openai",
    "voyageai.api_resources.api_resource": "obs_instrumentors.voyageai",
    "voyageai.client": "obs_instrumentors.voyageai",
    "voyageai.client_async": "obs_instrumentors.voyageai",
}
