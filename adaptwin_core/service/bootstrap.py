"""Makes what one process of the service works with from its settings, once, where the process starts.

Nothing here connects to a server. So a process may be forked afterwards, and may start before its servers do.
"""

from dataclasses import dataclass

from adaptwin_core.service.auth import ApiKeys
from adaptwin_core.service.broker import Broker
from adaptwin_core.service.erasure import Eraser
from adaptwin_core.service.links import Links
from adaptwin_core.service.tasks import Owners, Tasks
from adaptwin_core.service.upload_files import UploadFiles
from adaptwin_core.service.upload_joiner import Joiner
from adaptwin_core.service.upload_parts import Parts
from adaptwin_core.service.upload_writer import Writers
from adaptwin_core.service.uploads import Uploads
from adaptwin_core.service.webhook_courier import Courier
from adaptwin_core.service.webhook_signing import Signer
from adaptwin_core.service.webhook_targets import Targets
from adaptwin_core.store.blobs import BlobStore
from adaptwin_core.store.blobs_local import LocalBlobs
from adaptwin_core.store.database import Database
from adaptwin_core.store.settings import Settings


@dataclass(frozen=True)
class Service:
    """The parts of the service that hold a setting or a connection; the rest are plain functions."""

    settings: Settings
    database: Database
    blobs: BlobStore
    broker: Broker
    keys: ApiKeys
    links: Links
    uploads: Uploads
    parts: Parts
    joiner: Joiner
    writers: Writers
    tasks: Tasks
    eraser: Eraser
    courier: Courier


def bootstrap(settings: Settings) -> Service:
    """Return the service that these settings describe."""
    database = Database(settings.database_url)
    blobs = _blobs(settings)
    files = UploadFiles(settings.uploads_dir)
    uploads = Uploads(settings, files, blobs)
    return Service(
        settings=settings,
        database=database,
        blobs=blobs,
        broker=Broker(settings.redis_url),
        keys=ApiKeys(settings.secret_key),
        links=Links(settings.secret_key),
        uploads=uploads,
        parts=Parts(uploads),
        joiner=Joiner(database, uploads),
        writers=Writers(uploads),
        tasks=Tasks(settings.lease_s, settings.max_attempts, Owners(blobs, settings.calibration_shards)),
        eraser=Eraser(blobs, files),
        courier=Courier(Targets(settings.webhook_private_networks), Signer(settings.secret_key)),
    )


def _blobs(settings: Settings) -> BlobStore:
    """Return the store that the settings name: a bucket, or a folder."""
    if settings.s3_bucket is None:
        return LocalBlobs(settings.data_dir / "blobs")
    from adaptwin_core.store.blobs_s3 import S3Blobs  # boto3 is optional

    return S3Blobs(settings.s3_bucket, settings.s3_endpoint_url, LocalBlobs(settings.data_dir / "blob-cache"))
