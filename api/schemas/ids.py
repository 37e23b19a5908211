"""The ids and names that stand in paths."""

from typing import Annotated

from fastapi import Path

ULID = r"[0-9a-hjkmnp-tv-z]{26}$"
UploadId = Annotated[str, Path(pattern=f"^up_{ULID}", examples=["up_01k0000000000000000000000a"])]
DATASET_ID = f"^ds_{ULID}"
DatasetId = Annotated[str, Path(pattern=DATASET_ID, examples=["ds_01k0000000000000000000000a"])]
JobId = Annotated[str, Path(pattern=f"^job_{ULID}", examples=["job_01k0000000000000000000000a"])]
ModelId = Annotated[str, Path(pattern=f"^mdl_{ULID}", examples=["mdl_01k0000000000000000000000a"])]
FileName = Annotated[str, Path(max_length=500, pattern=r"^[^\x00-\x1f\x7f]+$", examples=["model.safetensors"])]
