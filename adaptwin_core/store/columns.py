"""Types of columns whose JSON stands for something that the code has a type for."""

from typing import Any

from sqlalchemy import Dialect
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import TypeDecorator

from adaptwin_core.store.blobs import Files, as_json, from_json


class FilesColumn(TypeDecorator[Files]):
    """Files by name, kept as `{name: {"sha256", "bytes"}}`."""

    impl = JSONB
    cache_ok = True

    def __init__(self) -> None:
        super().__init__(none_as_null=True)

    def process_bind_param(self, value: Files | None, dialect: Dialect) -> Any:  # noqa: ARG002  # SQLAlchemy's interface
        return None if value is None else as_json(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> Files | None:  # noqa: ARG002
        return None if value is None else from_json(value)
