"""Looks up where a webhook leads. The name service may be slow, so this has threads of its own and a deadline."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

from adaptwin_core.domain.errors import Unavailable
from adaptwin_core.service.webhook_targets import Target, Targets

DEADLINE_S = 5.0
MOST_AT_ONCE = 4

# A look-up cannot be stopped. One that is given up keeps its thread until it ends, so there are never more than these.
_THREADS = ThreadPoolExecutor(MOST_AT_ONCE, thread_name_prefix="webhook-lookup")


async def looked_up(targets: Targets, url: str) -> Target:
    """Return the target of a URL.

    Raises:
        InvalidInput: the service may not send there, as `Targets.find` says.
        Unavailable: the name service did not answer in time.
    """
    asked = asyncio.get_running_loop().run_in_executor(_THREADS, targets.find, url)
    try:
        return await asyncio.wait_for(asked, DEADLINE_S)
    except TimeoutError as late:
        raise Unavailable(
            f"the name service did not say within {DEADLINE_S:g} s where the URL leads: check its host, or try again "
            "later"
        ) from late
