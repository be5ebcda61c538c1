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
        f"google.genai.{module}": "obs_instrumentors.google_genai"
        for module in (
            "_api_client",
            "_extra_utils",
            "_gaos._hooks.asyncsdkhooks",
            "_gaos._hooks.sdkhooks",
            "_gaos.google_genai",
            "_gaos.utils.eventstreaming",
        )
    },
    **{
        f"{place}.{module}": "obs_instrumentors.mistralai"
        for place in (
            "mistralai",
            "mistralai.client",
            "mistralai_azure",
            "mistralai.azure.client",
            "mistralai_gcp",
            "mistralai.gcp.client",
        )
        for module in (
            "_hooks.sdkhooks",
            "_hooks.tracing",
            "agents",
            "chat",
            "classifiers",
            "conversations",
            "embeddings",
            "fim",
            "ocr",
            "responses",
            "utils.eventstreaming",
        )
    },
    "ollama._client": "obs_instrumentors.ollama",
    "openai.lib.streaming.chat._completions": "obs_instrumentors.openai",
    "openai.lib.streaming.responses._responses": "obs_instrumentors.openai",
}
