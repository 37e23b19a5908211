"""Webhooks, and what was sent to them."""

import json
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AliasChoices, BeforeValidator, Field

from adaptwin_core.domain.states import DeliveryState
from adaptwin_core.domain.webhooks import EventType
from adaptwin_core.rest.base import In, Out

Url = Annotated[str, Field(min_length=1, max_length=2000, pattern=r"^[^\x00-\x20\x7f]+$")]
Events = Annotated[
    list[EventType],
    Field(min_length=1, description="Types of events to send. Null stands for all, also those of later versions."),
]


def _read(body: str | dict[str, Any]) -> Any:
    """A row keeps the text that is sent."""
    return json.loads(body) if isinstance(body, str) else body


class NewWebhook(In):
    url: Url = Field(description="Address with https that events are posted to.")
    events: Events | None = None


class WebhookChange(In):
    """What is to change. What is left out stays."""

    url: Url | None = Field(None, description="Address that events are posted to from now on.")
    events: Events | None = None
    is_enabled: bool | None = Field(None, description="Whether events are sent.")


class WebhookOut(Out):
    id: str
    url: str
    events: list[EventType] | None = Field(description="Types of events that are sent. Null stands for all.")
    is_enabled: bool = Field(description="False if you disabled it, or its receiver answered 410 (Gone).")
    created_at: datetime


class WebhookMade(WebhookOut):
    secret: str = Field(description="Key of the signatures. It is shown this once.")


class DeliveryOut(Out):
    id: str
    event_id: str = Field(description="`webhook-id` of the request. It stays the same when the event is sent again.")
    type: EventType | Literal["webhook.test"]
    state: DeliveryState
    num_tries: int
    next_try_at: datetime | None = Field(
        validation_alias=AliasChoices("next_try_at", "due_at"), description="Null once the delivery has ended."
    )
    last_status: int | None = Field(description="HTTP status that the receiver answered to the last try.")
    last_error: str | None = Field(description="Why the last try failed.")
    created_at: datetime
    finished_at: datetime | None
    event: Annotated[dict[str, Any], BeforeValidator(_read)] = Field(
        validation_alias=AliasChoices("event", "body"), description="The body of the request."
    )
