"""One request to a receiver, which reaches nothing but the addresses that were checked.

The connection goes to such an address, while TLS and the Host header keep the name. So a name that leads elsewhere by
now (DNS rebinding) changes nothing. Redirects are not followed, and proxies of the environment are not used.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import anyio
import httpcore
import httpx

from adaptwin_core.domain.networks import Address
from adaptwin_core.service.webhook_targets import Target

DEADLINE_S = 15.0  # for the whole request, so that a receiver that answers byte by byte holds nobody up
CONNECT_S = 5.0  # for each address
MOST_ADDRESSES = 4


async def post(target: Target, headers: Mapping[str, str], body: bytes) -> int:
    """Send a body and return the status of the answer, whose body is left unread.

    Raises:
        TimeoutError: no answer came within the deadline.
        httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException: the connection failed.
    """
    url = target.url
    to = httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path)
    told = [("host", url.netloc.decode("ascii")), *headers.items()]  # httpcore would leave out the brackets of IPv6
    with anyio.fail_after(DEADLINE_S):
        async with (
            httpcore.AsyncConnectionPool(
                ssl_context=httpx.create_ssl_context(), network_backend=_Pinned(target.addresses)
            ) as pool,
            pool.stream(
                "POST", to, headers=told, content=body, extensions={"timeout": {"connect": CONNECT_S}}
            ) as response,
        ):
            return response.status


class _Pinned(httpcore.AsyncNetworkBackend):
    """Connects to the first of these addresses that answers, whatever host it is asked for."""

    def __init__(self, addresses: tuple[Address, ...]) -> None:
        self._addresses = addresses[:MOST_ADDRESSES]
        self._network = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,  # noqa: ARG002  # httpcore's interface
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109  # httpcore's interface
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        *others, last = self._addresses
        for address in others:
            try:
                return await self._network.connect_tcp(str(address), port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                continue
        return await self._network.connect_tcp(str(last), port, timeout, local_address, socket_options)
