"""One of everything a tenant can own, as the API shows it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from adaptwin_core.domain.ids import new_id
from adaptwin_core.domain.states import DatasetState, JobState
from adaptwin_core.store.blobs import Files, as_json
from adaptwin_core.store.tables import Dataset, Job, Model
from tests.integration import world
from tests.integration.conftest import Principal
from tests.integration.tus_client import created, new_dataset, upload
from tests.service_under_test import get_blobs, unit_of_work

WEIGHTS = bytes(range(256)) * 40
FILE_NAME = "model/model.safetensors"
EXPORT = "dense"


@dataclass(frozen=True)
class Things:
    """Ids of an owner's things."""

    open_dataset_id: str
    upload_id: str
    full_dataset_id: str  # open, with one whole upload
    ready_dataset_id: str
    job_id: str
    model_id: str
    file_sha256: str


def add_model(
    who: Principal, folder: Path, data: bytes = WEIGHTS, more: Mapping[str, bytes] = MappingProxyType({})
) -> tuple[str, str, str]:
    """Add a finished job with its model and one export of the same files.

    Returns:
        The ids of job and model, and the SHA-256 of the file of weights.
    """
    job_id = world.submit(who.scope, folder)
    file, refs = folder / "weights", Files()
    for name, content in {**more, FILE_NAME: data}.items():
        file.write_bytes(content)
        refs[name] = ref = get_blobs().put(file, scope=who.scope.tenant_id)
    files = as_json(refs)
    exports = {EXPORT: {"files": files, "verdict": {"is_offered": True}}}
    manifest = {"files": files, "wer": 0.1, "verdict": world.VERDICT, "exports": exports}
    model_id = new_id("mdl")
    with unit_of_work() as session:
        session.get_one(Job, job_id).state = JobState.SUCCEEDED
        session.add(Model(id=model_id, tenant_id=who.scope.tenant_id, job_id=job_id, manifest=manifest))
    return job_id, model_id, ref.sha256


def add_ready_dataset(who: Principal, folder: Path) -> str:
    """Add a dataset whose corpus holds one clip."""
    manifest = folder / "corpus.json"
    clip = {"id": "c0", "recording": "a.wav", "text": "a word", "split": "train", "num_samples": 16000}
    manifest.write_text(json.dumps({"clips": [clip]}))
    ref = get_blobs().put(manifest, scope=who.scope.tenant_id)
    dataset_id = new_id("ds")
    with unit_of_work() as session:
        session.add(
            Dataset(
                id=dataset_id,
                tenant_id=who.scope.tenant_id,
                name="ready",
                state=DatasetState.READY,
                digest=ref.sha256,
                report_json=world.REPORT,
                files={"corpus.json": ref},
            )
        )
    return dataset_id


def add_things(who: Principal, folder: Path) -> Things:
    """Give an owner one of everything."""
    open_dataset_id, full_dataset_id = new_dataset(who), new_dataset(who)
    path = created(who, open_dataset_id, 6)
    upload(who, full_dataset_id, b"whole")
    _, model_id, sha256 = add_model(who, folder)
    return Things(
        open_dataset_id=open_dataset_id,
        upload_id=path.rsplit("/", 1)[1],
        full_dataset_id=full_dataset_id,
        ready_dataset_id=add_ready_dataset(who, folder),
        job_id=world.submit(who.scope, folder),
        model_id=model_id,
        file_sha256=sha256,
    )
