"""Links that download one thing without a key until they end. Nothing is kept of them: the signature says all.

A link carries the id of the key that it was made with, and ends with that key.
"""

import base64
import hashlib
import hmac
import math
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from pydantic import SecretStr
from sqlalchemy.orm import Session

from adaptwin_core.domain.digest import canonical_json
from adaptwin_core.domain.errors import Unauthorized
from adaptwin_core.domain.scope import TenantScope
from adaptwin_core.service.downloads import Target
from adaptwin_core.store.queries import auth as keys

# No API key has this text, so the HMAC of a link can never be that of an API key, nor the other way round.
PURPOSE = b"AdaPTwin: links to downloads"


@dataclass(frozen=True)
class Link:
    """What the query of a link says. `expires` is in seconds since 1970; a request may hold anything."""

    expires: str
    key: str
    signature: str

    @property
    def expires_at(self) -> datetime:
        """When a link that was signed here ends."""
        return datetime.fromtimestamp(int(self.expires), UTC)


@dataclass(frozen=True)
class Links:
    """Makes and checks links. They are signed with a key that is derived from `secret_key`."""

    secret_key: SecretStr

    def sign(self, key_id: str, target: Target, lifetime: timedelta) -> Link:
        """Return a link to a target that is known to be there.

        Args:
            key_id: of the API key that asks for it.
        """
        expires = str(math.ceil(time.time() + lifetime.total_seconds()))
        return Link(expires, key_id, self._signature(expires, key_id, target))

    def authenticate(self, session: Session, target: Target, link: Link) -> TenantScope:
        """Return whose link this is.

        Raises:
            Unauthorized: with code "link_invalid", it was changed, is for something else, or its key was revoked;
                with code "link_expired", its time is over.
        """
        right = self._signature(link.expires, link.key, target)
        if not hmac.compare_digest(right.encode(), link.signature.encode("utf-8", "replace")):
            raise Unauthorized(
                "this link is incomplete or was changed: copy it again, or ask for a new one", code="link_invalid"
            )
        if time.time() >= int(link.expires):
            raise Unauthorized(f"this link ended at {link.expires_at:%Y-%m-%d %H:%M:%S} UTC", code="link_expired")
        row = keys.key_by_id(session, link.key)
        if row is None:
            raise Unauthorized("the key that made this link was revoked: ask for a new one", code="link_invalid")
        return TenantScope(row.tenant_id)

    def _signature(self, expires: str, key_id: str, target: Target) -> str:
        """A key belongs to one tenant, so its id stands for the tenant too."""
        derived = hmac.digest(self.secret_key.get_secret_value().encode(), PURPOSE, hashlib.sha256)
        said = canonical_json([key_id, expires, target.model_id, target.form, target.name])
        return base64.urlsafe_b64encode(hmac.digest(derived, said, hashlib.sha256)).rstrip(b"=").decode()
