"""Webhooks: made, changed, tested, and what was sent to them."""

from collections.abc import Sequence

from adaptwin_core.client.connection import Connection
from adaptwin_core.domain.webhooks import EventType
from adaptwin_core.rest.base import Page
from adaptwin_core.rest.webhooks import DeliveryOut, NewWebhook, WebhookChange, WebhookMade, WebhookOut

WEBHOOKS = "/v1/webhooks"


class AsyncWebhooks:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def create(self, url: str, events: Sequence[EventType] | None = None) -> WebhookMade:
        """Have events posted to an address: of these types, or of all. The answer alone tells the secret.

        Raises:
            Unreachable: no answer came. The webhook may have been made: `all` tells.
        """
        wanted = None if events is None else list(events)
        return await self._connection.post(WEBHOOKS, WebhookMade, NewWebhook(url=url, events=wanted))

    async def get(self, webhook_id: str) -> WebhookOut:
        """Return a webhook."""
        return await self._connection.get(f"{WEBHOOKS}/{webhook_id}", WebhookOut)

    async def all(self) -> list[WebhookOut]:
        """Return every webhook, newest first."""
        return await self._connection.all(WEBHOOKS, Page[WebhookOut])

    async def change(self, webhook_id: str, change: WebhookChange) -> WebhookOut:
        """Change what is given, such as `WebhookChange(is_enabled=True)`."""
        return await self._connection.patch(f"{WEBHOOKS}/{webhook_id}", WebhookOut, change)

    async def delete(self, webhook_id: str) -> None:
        """Delete a webhook with its log."""
        await self._connection.delete(f"{WEBHOOKS}/{webhook_id}")

    async def test(self, webhook_id: str) -> DeliveryOut:
        """Have a test event sent. `deliveries` tells how it ended."""
        return await self._connection.post(f"{WEBHOOKS}/{webhook_id}/test", DeliveryOut)

    async def deliveries(self, webhook_id: str) -> list[DeliveryOut]:
        """Return everything that was or will be sent to a webhook, newest first."""
        return await self._connection.all(f"{WEBHOOKS}/{webhook_id}/deliveries", Page[DeliveryOut])

    async def resend(self, webhook_id: str, delivery_id: str) -> DeliveryOut:
        """Send an event again, under its old event id, and return the new delivery."""
        return await self._connection.post(f"{WEBHOOKS}/{webhook_id}/deliveries/{delivery_id}/resend", DeliveryOut)
