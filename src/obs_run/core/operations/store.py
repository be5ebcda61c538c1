"""Calls of vector stores and other databases."""

from __future__ import annotations

from dataclasses import field
from typing import Any, ClassVar

from obs_run.core import semconv
from obs_run.core.sparse_dataclasses import sparse_dataclass

from .fields import attribute, attribute_metadata, content
from .operation import GenAiOperation, Operation


@sparse_dataclass
class Retrieval(GenAiOperation):
    """A search for documents: ``retrieval``; in a vector store it is that database's operation as well."""

    name: str = "retrieval"
    data_source: str | None = attribute(semconv.DATA_SOURCE_ID)
    request_model: str | None = attribute(semconv.REQUEST_MODEL)
    top_k: int | None = attribute(semconv.RETRIEVAL_TOP_K)
    system: str | None = attribute(semconv.DB_SYSTEM_NAME)
    """The database, as ``db.system.name`` calls it."""
    database_operation: str | None = attribute(semconv.DB_OPERATION_NAME)
    collection: str | None = attribute(semconv.DB_COLLECTION_NAME)
    namespace: str | None = attribute(semconv.DB_NAMESPACE)
    batch_size: int | None = attribute(semconv.DB_OPERATION_BATCH_SIZE)
    """How many queries were asked at once, where there are two or more."""
    returned: int | None = attribute(semconv.DB_RESPONSE_RETURNED_ROWS)
    scores: list[float] | None = attribute(semconv.OBS_RETRIEVAL_SCORES)
    """Scores or distances as the store tells them, best first."""
    query_text: str | None = content(semconv.RETRIEVAL_QUERY_TEXT)
    documents: list[dict[str, Any]] | None = content(semconv.RETRIEVAL_DOCUMENTS)
    """What was found: dicts of ``id``, ``score`` and, where known, ``content``."""

    SUBJECT: ClassVar[str | None] = "data_source"
    IS_STORE_CALL: ClassVar[bool] = True


@sparse_dataclass
class DatabaseCall(Operation):
    """Any other call of a database: records written, deleted, fetched by id or counted."""

    name: str = field(metadata=attribute_metadata(semconv.DB_OPERATION_NAME))
    system: str | None = attribute(semconv.DB_SYSTEM_NAME)
    collection: str | None = attribute(semconv.DB_COLLECTION_NAME)
    namespace: str | None = attribute(semconv.DB_NAMESPACE)
    batch_size: int | None = attribute(semconv.DB_OPERATION_BATCH_SIZE)
    """How many records the call writes or asks for, where there are two or more."""
    returned: int | None = attribute(semconv.DB_RESPONSE_RETURNED_ROWS)

    SUBJECT: ClassVar[str | None] = "collection"
    IS_STORE_CALL: ClassVar[bool] = True
