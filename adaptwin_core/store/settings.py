"""Every setting of the service, read from the environment as ADAPTWIN_… (and DATABASE_URL, REDIS_URL)."""

from pathlib import Path

from pydantic import AliasChoices, Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

GIB = 1 << 30


class Settings(BaseSettings):
    """Read from the environment by whoever starts a process, and passed on from there."""

    model_config = SettingsConfigDict(env_prefix="ADAPTWIN_", extra="ignore", populate_by_name=True)

    database_url: str = Field(
        "postgresql+psycopg://adaptwin@localhost/adaptwin",
        description="PostgreSQL",
        validation_alias=AliasChoices("database_url", "DATABASE_URL", "ADAPTWIN_DATABASE_URL"),
    )
    redis_url: str = Field(
        "redis://localhost:6379/0",
        description="Valkey or Redis",
        validation_alias=AliasChoices("redis_url", "REDIS_URL", "ADAPTWIN_REDIS_URL"),
    )
    secret_key: SecretStr = Field(description="keys the HMAC under which API keys are stored; 32 random bytes or more")

    data_dir: Path = Field(Path("var"), description="uploads in flight, local blobs, caches")
    s3_bucket: str | None = Field(None, description="set to keep blobs in S3 instead of the data folder")
    s3_endpoint_url: str | None = Field(None, description="of an S3 that is not Amazon's")
    model_cache_dir: Path | None = Field(
        None, description="converted base models; left out, `models` in the data folder"
    )

    # 8 h of stereo 44.1 kHz PCM is 5.1 GB
    max_upload_bytes: int = Field(8 * GIB, description="largest file")
    max_patch_bytes: int = Field(
        256 << 20, description="largest upload request with a checksum: none of it counts before all of it is checked"
    )
    tenant_quota_bytes: int = Field(64 * GIB, description="what one owner may store")
    # eight hours may come as thousands of clips
    max_open_uploads: int = Field(10_000, description="unfinished uploads of one owner")
    max_running_jobs: int = Field(8, description="unfinished jobs of one owner")
    upload_expiry_s: int = Field(
        24 * 3600, description="seconds after which an upload that nobody goes on with is gone"
    )
    max_decoded_s: float = Field(
        10 * 3600.0, description="seconds of speech in one dataset; about eight hours, with room"
    )
    min_free_disk_bytes: int = Field(1 * GIB, description="free disk below which uploads are refused")

    lease_s: float = Field(60.0, description="a worker that is silent for so many seconds has lost its task")
    heartbeat_s: float = Field(5.0, description="seconds between signs of life; also how soon a cancel reaches a task")
    sweep_s: float = Field(
        15.0, description="seconds between sweeps; a killed worker's task is back within a lease and a sweep"
    )
    resend_after_s: float = Field(
        120.0, description="seconds after which a queued task is announced again, in case its message was lost"
    )
    task_deadline_s: float = Field(6 * 3600.0, description="seconds after which a worker kills itself and its task")
    max_attempts: int = Field(3, description="times that a task is tried")
    block_threads: int = Field(1, description="threads of a task that shares its stage; workers x this = cores")
    stage_threads: int = Field(0, description="threads of a task that runs alone (search, tune, export); 0: all cores")
    calibration_shards: int = Field(2, description="tasks that share the measuring of one job's speech")

    @field_validator("database_url")
    @classmethod
    def _with_driver(cls, url: str) -> str:
        """Hosts hand out postgres:// and postgresql://; SQLAlchemy wants the driver named."""
        scheme, separator, rest = url.partition("://")
        return f"postgresql+psycopg{separator}{rest}" if scheme in {"postgres", "postgresql"} else url

    @property
    def models_dir(self) -> Path:
        """Where base models are kept in the form that the workers load."""
        return self.model_cache_dir or self.data_dir / "models"

    @property
    def work_dir(self) -> Path:
        """Where each running task has a folder of its own."""
        return self.data_dir / "work"

    @property
    def uploads_dir(self) -> Path:
        """Where the bytes of unfinished uploads are."""
        return self.data_dir / "uploads"
