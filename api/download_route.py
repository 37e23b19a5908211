"""Routes that answer to a key or to a signed link, and the addresses of such links."""

from dataclasses import asdict, dataclass
from typing import Annotated
from urllib.parse import quote, urlencode

from fastapi import Depends, Query, Request

from adaptwin_core.domain.scope import TenantScope
from adaptwin_core.service.downloads import Target
from adaptwin_core.service.links import Link
from api.deps import TenantRoute, service_of

MOST_CHARS = 200


@dataclass(frozen=True)
class LinkQuery:
    """The query of a signed link, as the document shows it. `DownloadRoute` reads it before anything else."""

    expires: Annotated[str | None, Query(description="When a signed link ends.", max_length=MOST_CHARS)] = None
    key: Annotated[
        str | None, Query(description="Id of the key that a signed link was made with.", max_length=MOST_CHARS)
    ] = None
    signature: Annotated[
        str | None,
        Query(description="Signature of a link. A request with it needs no key.", max_length=MOST_CHARS),
    ] = None


LINKED = [Depends(LinkQuery)]


class DownloadRoute(TenantRoute):
    """A route of a download. A signature in its query stands for a key, and only for what was signed."""

    def caller(self, request: Request) -> TenantScope:
        """Return who is asking. Raises Unauthorized."""
        query = request.query_params
        if "signature" not in query:
            return super().caller(request)
        link = Link(query.get("expires", ""), query.get("key", ""), query["signature"])
        service = service_of(request)
        with service.database.transaction() as session:
            return service.links.authenticate(session, _target_of(request), link)


def url_of(request: Request, target: Target, link: Link) -> str:
    """Return the address of a link, on the host that this request was sent to."""
    path = f"v1/models/{target.model_id}" + (f"/exports/{target.form}" if target.form else "")
    path += "/archive" if target.name is None else f"/files/{quote(target.name)}"
    return f"{request.base_url}{path}?{urlencode(asdict(link))}"


def _target_of(request: Request) -> Target:
    named = request.path_params
    return Target(named["model_id"], named.get("form"), named.get("name"))
