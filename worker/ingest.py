"""The body of an ingest task: a dataset's uploads become one checked corpus, stored as the tenant's blobs."""

from pathlib import Path

from adaptwin_core.domain.scope import TenantScope
from adaptwin_core.service.bootstrap import Service
from adaptwin_core.service.dataset_tasks import Ingested
from adaptwin_core.service.task_owner import Claim
from adaptwin_core.speech.files.sources import SourceFile
from adaptwin_core.speech.ingest import build_corpus
from adaptwin_core.speech.limits import Limits
from adaptwin_core.store.queries import blobs
from adaptwin_core.store.queries import uploads as queries
from worker.lease import Lease


def ingest(service: Service, claim: Claim, lease: Lease, workdir: Path) -> None:
    """Read, check and store a dataset's speech; the dataset is ready when this returns.

    Raises:
        InvalidAudio: the set as a whole cannot be used.
        Cancelled, LeaseLost: the work must stop.
    """
    scope = TenantScope(claim.tenant_id)
    assert claim.dataset_id is not None
    with service.database.transaction() as session:
        uploads = queries.complete_of(session, scope, claim.dataset_id)

    def progress(done: int, total: int, /, **figures: float) -> None:
        lease.progress(done, total, **{name: round(figure, 1) for name, figure in figures.items()})

    sources = [
        SourceFile(upload.file_name, service.blobs.fetch(upload.sha256, scope=scope.tenant_id))
        for upload in uploads
        if upload.sha256
    ]
    corpus = build_corpus(
        sources,
        workdir / "corpus",
        Limits(max_decoded_s=service.settings.max_decoded_s),
        progress,
    )
    lease.check()
    with service.database.transaction() as session:
        blobs.lock_shared(session, scope)
        files = {name: service.blobs.put(path, scope=scope.tenant_id) for name, path in corpus.files().items()}
        service.tasks.complete(session, claim, Ingested(corpus.digest, corpus.report(), files))
