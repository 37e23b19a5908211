"""Keys: shown once, kept as an HMAC, ended at once."""

import pytest
from sqlalchemy import select

from adaptwin_core.domain.errors import NotFound, Unauthorized
from adaptwin_core.domain.scope import TenantScope
from adaptwin_core.service import auth
from adaptwin_core.store.tables import ApiKey
from tests.integration.conftest import Principal
from tests.service_under_test import service, unit_of_work


def _key_id(token: str) -> str:
    return "_".join(token.split("_")[1:3])


def test_a_key_opens_its_own_tenant_and_is_not_kept(scope: TenantScope):
    with unit_of_work() as session:
        token = service().keys.create(session, scope, "laptop")
    with unit_of_work() as session:
        assert service().keys.authenticate(session, token) == scope
        row = session.scalars(select(ApiKey)).one()
        assert row.last_used_at is not None
        assert token.rsplit("_", 1)[1].encode() not in row.secret_hmac


@pytest.mark.parametrize(
    "spoil",
    [
        lambda token: "",
        lambda token: token[:-1],
        lambda token: token[:-1] + ("A" if token[-1] != "A" else "B"),
        lambda token: token + "A",
        lambda token: token.replace("adtw_", "adtx_"),
        lambda token: token.replace("key_0", "key_1"),
        lambda token: token + "\n",
        lambda token: "adtw_key_" + "\x00" * 26 + "_" + "A" * 43,
    ],
)
def test_anything_else_is_refused(scope: TenantScope, spoil):
    with unit_of_work() as session:
        token = service().keys.create(session, scope, "laptop")
    with unit_of_work() as session, pytest.raises(Unauthorized):
        service().keys.authenticate(session, spoil(token))


def test_a_key_ends_at_once_and_only_by_its_owner(owner: Principal, stranger: Principal):
    assert owner.client.get("/v1/datasets").status_code == 200
    with unit_of_work() as session, pytest.raises(NotFound):
        auth.revoke_key(session, stranger.scope, _key_id(owner.token))
    assert owner.client.get("/v1/datasets").status_code == 200
    with unit_of_work() as session:
        auth.revoke_key(session, owner.scope, _key_id(owner.token))
    refused = owner.client.get("/v1/datasets")
    assert refused.status_code == 401
    assert refused.headers["www-authenticate"].startswith("Bearer")
    assert refused.json()["code"] == "unauthorized"
