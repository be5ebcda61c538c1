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
        f"chromadb.{module}": "obs_instrumentors.chromadb"
        for module in (
            "api.async_client",
            "api.client",
            "api.models.AsyncCollection",
            "api.models.Collection",
            "telemetry.opentelemetry",
        )
    },
    "faiss": "obs_instrumentors.faiss",
    **{f"lancedb.{module}": "obs_instrumentors.lancedb" for module in ("query", "remote.table", "table")},
    "ollama._client": "obs_instrumentors.ollama",
    "openai.lib.streaming.chat._completions": "obs_instrumentors.openai",
    "openai.lib.streaming.responses._responses": "obs_instrumentors.openai",
    **{
        f"pinecone.{module}": "obs_instrumentors.pinecone"
        for module in (
            "async_client.async_index",
            "async_client.documents",
            "async_client.inference",
            "client.documents",
            "client.inference",
            "db_data.index",
            "db_data.index_asyncio",
            "grpc",
            "grpc.index_grpc",
            "index",
            "inference.inference",
            "inference.inference_asyncio",
        )
    },
    "pymilvus.client.iterator.search_iterator": "obs_instrumentors.pymilvus",
    "pymilvus.client.search_iterator": "obs_instrumentors.pymilvus",
    "pymilvus.milvus_client.async_milvus_client": "obs_instrumentors.pymilvus",
    "pymilvus.milvus_client.milvus_client": "obs_instrumentors.pymilvus",
    "pymilvus.orm.iterator": "obs_instrumentors.pymilvus",
    **{
        f"replicate.{module}": "obs_instrumentors.replicate"
        for module in ("client", "deployment", "model", "prediction")
    },
    "weaviate.connect.v4": "obs_instrumentors.weaviate",
    **{
        f"xai_sdk.{side}.{module}": "obs_instrumentors.xai"
        for side in ("sync", "aio")
        for module in ("chat", "image", "video")
    },
    "qdrant_client.async_qdrant_client": "obs_instrumentors.qdrant_client",
    "qdrant_client.qdrant_client": "obs_instrumentors.qdrant_client",
}
