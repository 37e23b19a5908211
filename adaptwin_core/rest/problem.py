"""The body of every error."""

from pydantic import BaseModel, Field


class InvalidField(BaseModel):
    """One value that was refused."""

    location: str = Field(examples=["body.spec.encoder_cut"])
    code: str = Field(examples=["less_than_equal"])
    message: str


class Problem(BaseModel):
    """What went wrong and what to do (RFC 9457)."""

    type: str = Field(examples=["urn:adaptwin:problem:not_found"])
    title: str = Field(examples=["Not Found"])
    status: int = Field(examples=[404])
    detail: str = Field(examples=["there is no dataset ds_01k…"])
    code: str = Field(description="Stable name of the error, for programs.", examples=["not_found"])
    errors: list[InvalidField] | None = Field(None, description="Each value that was refused.")
