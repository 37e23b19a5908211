"""/v1/health, which needs no key: whether this process is alive, and whether it can serve requests."""

import redis
from fastapi import APIRouter

from adaptwin_core.rest.health import Live, Ready
from adaptwin_core.service import quotas
from api.deps import Running
from api.problems import documented
from api.strict_route import StrictRoute

router = APIRouter(prefix="/v1/health", tags=["health"], route_class=StrictRoute)

BROKER_TIMEOUT_S = 1.0


@router.get("/live", responses=documented(422))
async def get_live() -> Live:
    """Tell that the process is alive."""
    return Live()


@router.get("/ready", responses=documented(422, 503, 507))
def get_ready(service: Running) -> Ready:
    """Tell whether requests can be served. The database must answer and the disk have room; the broker may be down."""
    service.database.check()
    quotas.require_disk(service.settings)
    return Ready(
        database="ok",
        broker=_broker(service.settings.redis_url),
        free_disk_bytes=quotas.free_disk_bytes(service.settings.data_dir),
    )


def _broker(url: str) -> str:
    try:
        with redis.Redis.from_url(
            url, socket_connect_timeout=BROKER_TIMEOUT_S, socket_timeout=BROKER_TIMEOUT_S
        ) as client:
            client.ping()
    except redis.RedisError:
        return "down"
    return "ok"
