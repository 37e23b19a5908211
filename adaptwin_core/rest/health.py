"""The answers of /v1/health."""

from typing import Literal

from pydantic import Field

from adaptwin_core.rest.base import Out


class Live(Out):
    status: Literal["ok"] = "ok"


class Ready(Out):
    database: Literal["ok"]
    broker: Literal["ok", "down"] = Field(description="If it is down, jobs are accepted and start when it is back.")
    free_disk_bytes: int
