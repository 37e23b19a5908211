"""API keys. A key is shown once. The database holds only its HMAC, so a stolen dump opens nothing."""

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass

from pydantic import SecretStr
from sqlalchemy import func
from sqlalchemy.orm import Session

from adaptwin_core.domain.errors import Unauthorized
from adaptwin_core.domain.ids import new_id
from adaptwin_core.domain.scope import TenantScope
from adaptwin_core.store.queries import auth as keys
from adaptwin_core.store.tables import ApiKey, Tenant

SECRET_BYTES = 32
_TOKEN = re.compile(r"adtw_(key_[0-9a-z]{26})_([A-Za-z0-9_-]{43})")
_NO_KEY_HMAC = bytes(hashlib.sha256().digest_size)


def create_tenant(session: Session, name: str) -> TenantScope:
    """Make a tenant. Its name must be new."""
    tenant = Tenant(id=new_id("ten"), name=name)
    session.add(tenant)
    session.flush()
    return TenantScope(tenant.id)


@dataclass(frozen=True)
class ApiKeys:
    """Makes and checks keys. `secret_key` is the key of the HMAC that the database holds."""

    secret_key: SecretStr

    def create(self, session: Session, scope: TenantScope, name: str) -> str:
        """Make a key and return it, `adtw_<key id>_<secret>`: this is the only time anyone sees the secret."""
        secret = secrets.token_urlsafe(SECRET_BYTES)
        row = ApiKey(id=new_id("key"), tenant_id=scope.tenant_id, name=name, secret_hmac=self._hmac(secret))
        session.add(row)
        session.flush()
        return f"adtw_{row.id}_{secret}"

    def authenticate(self, session: Session, token: str) -> TenantScope:
        """Return whose key this is.

        Raises:
            Unauthorized: it is not a key, or it was revoked. The answer does not tell which.
        """
        match = _TOKEN.fullmatch(token)
        key_id, secret = match.groups() if match else ("", "")
        row = keys.key_by_id(session, key_id) if key_id else None
        # An unknown key is compared too, so that the answer takes as long.
        if not hmac.compare_digest(self._hmac(secret), row.secret_hmac if row else _NO_KEY_HMAC) or row is None:
            raise Unauthorized("send a valid API key as 'Authorization: Bearer adtw_…'")
        scope = TenantScope(row.tenant_id)
        keys.note_key_use(session, scope, row.id)
        return scope

    def _hmac(self, secret: str) -> bytes:
        return hmac.digest(self.secret_key.get_secret_value().encode(), secret.encode(), hashlib.sha256)


def key_id_of(token: str) -> str:
    """Return the id of a key that was accepted, which is no secret."""
    match = _TOKEN.fullmatch(token)
    assert match is not None
    return match[1]


def revoke_key(session: Session, scope: TenantScope, key_id: str) -> None:
    """End a key at once. Doing it again changes nothing.

    Raises:
        NotFound: the tenant has no such key.
    """
    row = keys.key(session, scope, key_id)
    if row.revoked_at is None:
        row.revoked_at = func.now()
