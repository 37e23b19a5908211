"""A client of the service. `Client` waits for each answer; `AsyncClient` has the same methods to await."""

from adaptwin_core.client.async_client import AsyncClient
from adaptwin_core.client.errors import (
    Busy,
    ClientError,
    DamagedDownload,
    DifferentFile,
    Failed,
    NoAddress,
    NothingToSend,
    NotUnderstood,
    ServiceError,
    Unreachable,
)
from adaptwin_core.client.folder import LeftOut
from adaptwin_core.client.progress import Progress
from adaptwin_core.client.sending import Sent
from adaptwin_core.client.sync_client import Client
from adaptwin_core.client.waiting import Patience
from adaptwin_core.rest.jobs import NewJob
from adaptwin_core.rest.webhooks import WebhookChange

__all__ = [
    "AsyncClient",
    "Busy",
    "Client",
    "ClientError",
    "DamagedDownload",
    "DifferentFile",
    "Failed",
    "LeftOut",
    "NewJob",
    "NoAddress",
    "NotUnderstood",
    "NothingToSend",
    "Patience",
    "Progress",
    "Sent",
    "ServiceError",
    "Unreachable",
    "WebhookChange",
]
