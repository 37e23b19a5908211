"""/v1/datasets/…/files: small files as a plain form."""

from fastapi import APIRouter, Request

from adaptwin_core.rest.datasets import UploadedFiles, UploadOut
from api.deps import Running, Scope
from api.form_files import FormRoute, receive_files
from api.form_parts import FIELD, MEDIA_TYPE
from api.path_ids import DatasetId
from api.problems import documented

router = APIRouter(prefix="/v1/datasets", tags=["datasets"], route_class=FormRoute)

_FILES = {
    "type": "array",
    "items": {"type": "string", "format": "binary"},
    "minItems": 1,
    "description": "Audio files, transcripts or archives; repeat the field for each.",
}
_FORM = {"type": "object", "properties": {FIELD: _FILES}, "required": [FIELD], "additionalProperties": False}


@router.post(
    "/{dataset_id}/files",
    status_code=201,
    responses=documented(400, 404, 408, 409, 410, 413, 415, 429, 507),
    openapi_extra={"requestBody": {"required": True, "content": {MEDIA_TYPE: {"schema": _FORM}}}},
)
async def add_files(dataset_id: DatasetId, request: Request, scope: Scope, service: Running) -> UploadedFiles:
    """Upload files to an open dataset: up to 1000 in one request, of 100 MiB in all. All are stored, or none.

    Larger files go by `POST /v1/uploads`, which resumes where a connection broke.
    """
    uploads = await receive_files(service, request, scope, dataset_id)
    return UploadedFiles(uploads=[UploadOut.model_validate(upload) for upload in uploads])
