"""Finds the base model of a job on this machine, and checks that it is the one of the job's submission."""

import logging
from functools import lru_cache
from pathlib import Path

from adaptwin_core.domain.errors import CorruptBlob, InvalidInput, NotFound
from adaptwin_core.ml.base.models import describe, resolve
from adaptwin_core.ml.base.sources import short_name

log = logging.getLogger(__name__)


@lru_cache(maxsize=4)
def base_folder(source: str, digest: str, cache: Path) -> Path:
    """Return the folder of a base model.

    Raises:
        CorruptBlob: it is gone, or another by now. A job's owner is not told where on this machine it was; the log is.
    """
    try:
        folder = resolve(source, cache)
        is_another = describe(folder).digest != digest
    except (InvalidInput, NotFound) as fault:
        log.warning("the base model from %s cannot be used: %s", source, fault.message)
        raise CorruptBlob(_gone(source, "can no longer be read")) from fault
    if is_another:
        log.warning("the base model from %s is not the one that was registered", source)
        raise CorruptBlob(_gone(source, "has changed since this job was submitted"))
    return folder


def _gone(source: str, what: str) -> str:
    return (
        f"the base model {short_name(source)} {what}: ask whoever runs this service to register it again with "
        "`adaptwin base add`, then submit the job again"
    )
