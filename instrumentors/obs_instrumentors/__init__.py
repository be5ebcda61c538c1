"""One module for each library (or family of libraries): where to look, and what it means.

``TABLE`` is all that a process pays for at start: the modules to wait for, and who instruments them then.
"""

TABLE = {
    **{
        f"{package}.{module}": "obs_instrumentors.bedrock"
        for package in ("aiobotocore", "botocore")
        for module in ("client", "eventstream", "response")
    },
    **{
        f"{package}.{module}": "obs_instrumentors.openai"
        for package in ("openai", "groq", "together", "cerebras.cloud.sdk", "fireworks")
        for module in ("_base_client", "_streaming", "_response")
    },
    **{
        f"azure.ai.inference.{module}": "obs_instrumentors.azure_inference"
        for module in ("_patch", "aio._patch", "models._patch", "tracing")
    },
    "huggingface_hub.inference._client": "obs_instrumentors.huggingface",
    "huggingface_hub.inference._generated._async_client": "obs_instrumentors.huggingface",
    **{
        f"ibm_watsonx_ai.foundation_models.{module}": "obs_instrumentors.watsonx"
        for module in (
            "embeddings.embeddings",
            "inference.base_model_inference",
            "inference.model_inference",
            "rerank.rerank",
        )
    },
    "ollama._client": "obs_instrumentors.ollama",
    "openai.lib.streaming.chat._completions": "obs_instrumentors.openai",
    "openai.lib.streaming.responses._responses": "obs_instrumentors.openai",
}
