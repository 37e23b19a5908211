"""Every setting of the service, read from the environment as ADAPTWIN_… (and DATABASE_URL, REDIS_URL)."""

from functools import lru_cache
from pathlib import Path

from pydantic import AliasChoices, Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

GIB = 1 << 30


class Settings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="ADAPTWIN_", extra="ignore", populate_by_name=True)

    database_url: str = Field(
        "postgresql+psycopg://adaptwin@localhost/adaptwin",
        validation_alias=AliasChoices("database_url", "DATABASE_URL", "ADAPTWIN_DATABASE_URL"),
    )
    redis_url: str = Field(
        "redis://localhost:6379/0", validation_alias=AliasChoices("redis_url", "REDIS_URL", "ADAPTWIN_REDIS_URL")
    )
    secret_key: SecretStr = Field(description="keys the HMAC under which API keys are stored; 32 random bytes or more")

    data_dir: Path = Field(Path("var"), description="uploads in flight, local blobs, caches")
    s3_bucket: str | None = Field(None, description="set to keep blobs in S3 instead of data_dir")
    s3_endpoint_url: str | None = None
    model_cache_dir: Path | None = Field(None, description="converted base models; data_dir/models when unset")

    max_upload_bytes: int = 8 * GIB  # 8 h of stereo 44.1 kHz PCM is 5.1 GB
    max_patch_bytes: int = 256 << 20  # a tus PATCH with a checksum: none of it counts before all of it is checked
    tenant_quota_bytes: int = 64 * GIB
    max_open_uploads: int = 10_000  # eight hours may come as thousands of clips
    max_running_jobs: int = 8
    upload_expiry_s: int = 24 * 3600
    max_decoded_s: float = 10 * 3600.0  # "about eight hours", with room
    min_free_disk_bytes: int = 1 * GIB

    lease_s: float = 60.0  # a worker that is silent this long has lost its task
    heartbeat_s: float = 5.0  # also how soon a cancel reaches a running task
    sweep_s: float = 15.0  # so a killed worker's task is back within lease_s + sweep_s
    resend_after_s: float = 120.0  # a queued task whose message may have been lost is announced again
    task_deadline_s: float = 6 * 3600.0  # the worker kills itself past this; the lease then expires
    max_attempts: int = 3
    block_threads: int = Field(1, description="torch threads of a block task; workers x this = cores")
    stage_threads: int = Field(0, description="torch threads of a task that runs alone in its stage; 0 = all cores")
    calibration_shards: int = Field(2, description="tasks that share the measuring of one job's speech")

    @field_validator("database_url")
    @classmethod
    def _with_driver(cls, url: str) -> str:
        """Hosts hand out postgres:// and postgresql://; SQLAlchemy wants the driver named."""
        scheme, separator, rest = url.partition("://")
        return f"postgresql+psycopg{separator}{rest}" if scheme in {"postgres", "postgresql"} else url


@lru_cache
def get_settings() -> Settings:
    """Return the process's settings, read once."""
    return Settings()
