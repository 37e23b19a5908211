"""The forms of ids, as patterns."""

ULID = r"[0-9a-hjkmnp-tv-z]{26}$"
UPLOAD_ID = f"^up_{ULID}"
DATASET_ID = f"^ds_{ULID}"
JOB_ID = f"^job_{ULID}"
MODEL_ID = f"^mdl_{ULID}"
WEBHOOK_ID = f"^wh_{ULID}"
DELIVERY_ID = f"^dlv_{ULID}"
