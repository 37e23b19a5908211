"""Signatures by the Standard Webhooks specification, with a secret for each webhook.

The secret follows from the service's secret key and the webhook's id. So the database holds none, and a stolen dump
lets nobody sign.
"""

import base64
import hashlib
import hmac
from dataclasses import dataclass
from datetime import UTC, datetime

from pydantic import SecretStr
from standardwebhooks import Webhook as Signature


@dataclass(frozen=True)
class Signer:
    """Signs what is sent. `secret_key` is the service's."""

    secret_key: SecretStr

    def secret_of(self, webhook_id: str) -> str:
        """Return the secret of a webhook, `whsec_…`. Its owner is shown it once."""
        purpose = f"secret of webhook {webhook_id}".encode()
        secret = hmac.digest(self.secret_key.get_secret_value().encode(), purpose, hashlib.sha256)
        return "whsec_" + base64.b64encode(secret).decode()

    def headers(self, webhook_id: str, event_id: str, body: str) -> dict[str, str]:
        """Return the headers of an event that is sent now."""
        now = datetime.now(UTC)
        return {
            "webhook-id": event_id,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": Signature(self.secret_of(webhook_id)).sign(event_id, now, body),
        }
