"""The body of an ingest task: a dataset's uploads become one checked corpus, stored as the tenant's blobs."""

import logging
from pathlib import Path

from sqlalchemy import select

from adaptwin_core.domain.scope import TenantScope
from adaptwin_core.domain.states import UploadState
from adaptwin_core.service.bootstrap import Service
from adaptwin_core.service.tasks import Claim
from adaptwin_core.speech.files.sources import SourceFile
from adaptwin_core.speech.ingest import ReadingProgress, build_corpus
from adaptwin_core.speech.limits import Limits
from adaptwin_core.store.queries.erasure import share_blobs
from adaptwin_core.store.tables import Upload
from worker.lease import Lease

log = logging.getLogger(__name__)


def ingest(service: Service, claim: Claim, lease: Lease, workdir: Path) -> None:
    """Read, check and store a dataset's speech; the dataset is ready when this returns.

    Raises:
        InvalidAudio: the set as a whole cannot be used.
        Cancelled, LeaseLost: the work must stop.
    """
    blobs = service.blobs
    with service.database.transaction() as session:
        uploads = session.execute(
            select(Upload.file_name, Upload.sha256)
            .where(Upload.dataset_id == claim.dataset_id, Upload.state == UploadState.COMPLETE)
            .order_by(Upload.id)
        ).all()

    def on_progress(progress: ReadingProgress) -> None:
        lease.check()
        lease.report({"step": progress.num_files, "total": progress.total_files, "seconds": round(progress.seconds, 1)})

    sources = [SourceFile(name, blobs.fetch(sha256, scope=claim.tenant_id)) for name, sha256 in uploads if sha256]
    corpus = build_corpus(
        sources,
        workdir / "corpus",
        Limits(max_decoded_s=service.settings.max_decoded_s),
        on_progress=on_progress,
    )
    lease.check()
    with service.database.transaction() as session:
        share_blobs(session, TenantScope(claim.tenant_id))
        service.tasks.complete_ingest(
            session,
            claim,
            digest=corpus.digest,
            report=corpus.report(),
            files={name: blobs.put(path, scope=claim.tenant_id) for name, path in corpus.files().items()},
            blobs=blobs,
        )
