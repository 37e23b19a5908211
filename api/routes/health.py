"""/v1/health, open to all: whether this process lives, and whether it can do its work."""

import redis
from fastapi import APIRouter
from sqlalchemy import text

from adaptwin_core.service import quotas
from adaptwin_core.store.engine import unit_of_work
from adaptwin_core.store.settings import get_settings
from api.problems import documented
from api.schemas import Live, Ready
from api.strict_route import StrictRoute

router = APIRouter(prefix="/v1/health", tags=["health"], route_class=StrictRoute)

BROKER_TIMEOUT_S = 1.0


@router.get("/live", responses=documented(422))
async def get_live() -> Live:
    """Tell that the process answers."""
    return Live()


@router.get("/ready", responses=documented(422, 503, 507))
def get_ready() -> Ready:
    """Tell whether requests can be served: a database that answers and room on the disk. The broker may be away."""
    with unit_of_work() as session:
        session.execute(text("SELECT 1"))
    quotas.require_disk(0)
    return Ready(database="ok", broker=_broker(), free_disk_bytes=quotas.free_disk_bytes())


def _broker() -> str:
    url, timeout_s = get_settings().redis_url, BROKER_TIMEOUT_S
    try:
        with redis.Redis.from_url(url, socket_connect_timeout=timeout_s, socket_timeout=timeout_s) as client:
            client.ping()
    except redis.RedisError:
        return "down"
    return "ok"
