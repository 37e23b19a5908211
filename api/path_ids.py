"""The ids and names that stand in paths."""

from typing import Annotated

from fastapi import Path

from adaptwin_core.rest import ids

UploadId = Annotated[str, Path(pattern=ids.UPLOAD_ID, examples=["up_01k0000000000000000000000a"])]
DatasetId = Annotated[str, Path(pattern=ids.DATASET_ID, examples=["ds_01k0000000000000000000000a"])]
JobId = Annotated[str, Path(pattern=ids.JOB_ID, examples=["job_01k0000000000000000000000a"])]
ModelId = Annotated[str, Path(pattern=ids.MODEL_ID, examples=["mdl_01k0000000000000000000000a"])]
WebhookId = Annotated[str, Path(pattern=ids.WEBHOOK_ID, examples=["wh_01k0000000000000000000000a"])]
DeliveryId = Annotated[str, Path(pattern=ids.DELIVERY_ID, examples=["dlv_01k0000000000000000000000a"])]
FileName = Annotated[str, Path(max_length=500, pattern=r"^[^\x00-\x1f\x7f]+$", examples=["model.safetensors"])]
