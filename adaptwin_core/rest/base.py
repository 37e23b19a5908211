"""What all bodies have in common, a page of items, and a failure."""

from typing import Annotated, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from adaptwin_core.domain.refusals import Named

T = TypeVar("T")
Name = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]


class In(Named):
    """The body of a request. A field that is not known is refused, with the nearest that is."""


class Out(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class Page(Out, Generic[T]):
    """One page of items. While `has_more` is true, ask for the next page with the last id as `after`."""

    items: list[T]
    has_more: bool


class Failure(Out):
    """Why something failed."""

    model_config = ConfigDict(extra="allow")

    code: str
    message: str
