"""Every setting of the service, read from the environment as ADAPTWIN_… (and DATABASE_URL, REDIS_URL)."""

from pathlib import Path
from typing import Annotated

from pydantic import AliasChoices, Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from adaptwin_core.domain.networks import Network, parse_networks
from adaptwin_core.domain.origins import parse_origins

GIB = 1 << 30


class Settings(BaseSettings):
    """Read from the environment by whoever starts a process, and passed on from there."""

    model_config = SettingsConfigDict(env_prefix="ADAPTWIN_", extra="ignore", populate_by_name=True)

    database_url: str = Field(
        "postgresql+psycopg://adaptwin@localhost/adaptwin",
        description="URL of PostgreSQL.",
        validation_alias=AliasChoices("database_url", "DATABASE_URL", "ADAPTWIN_DATABASE_URL"),
    )
    redis_url: str = Field(
        "redis://localhost:6379/0",
        description="URL of Valkey or Redis.",
        validation_alias=AliasChoices("redis_url", "REDIS_URL", "ADAPTWIN_REDIS_URL"),
    )
    secret_key: SecretStr = Field(
        description="Key of the HMAC under which API keys are stored: 32 random bytes or more."
    )

    data_dir: Path = Field(Path("var"), description="Folder for unfinished uploads, local blobs and caches.")
    s3_bucket: str | None = Field(None, description="S3 bucket that keeps blobs instead of the data folder.")
    s3_endpoint_url: str | None = Field(None, description="URL of an S3 service that is not Amazon's.")
    model_cache_dir: Path | None = Field(
        None, description="Folder for converted base models; if left out, `models` in the data folder."
    )

    cors_origins: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="Origins whose pages may use the API from a browser, separated by commas, such as "
        "`https://app.example.com`; `*` stands for all. Without it no other site's page may.",
    )

    webhook_private_networks: Annotated[tuple[Network, ...], NoDecode] = Field(
        (),
        description="Networks that webhooks may reach beside the public internet, separated by commas, such as "
        "`10.0.0.0/8`; only these may be reached by `http` too. Without it no private address is.",
    )

    # 8 h of stereo 44.1 kHz PCM is 5.1 GB
    max_upload_bytes: int = Field(8 * GIB, description="Largest size of a file.")
    max_patch_bytes: int = Field(
        256 << 20,
        description="Largest upload request with a checksum; such a request is kept only if all of it is right.",
    )
    tenant_quota_bytes: int = Field(64 * GIB, description="Bytes that one owner may store.")
    # eight hours may come as thousands of clips
    max_open_uploads: int = Field(10_000, description="Unfinished uploads that one owner may have.")
    max_running_jobs: int = Field(8, description="Unfinished jobs that one owner may have.")
    max_webhooks: int = Field(20, description="Webhooks that one owner may have.")
    upload_expiry_s: int = Field(
        24 * 3600, description="Seconds after its last request when an unfinished upload is deleted."
    )
    max_decoded_s: float = Field(10 * 3600.0, description="Seconds of decoded speech that one dataset may hold.")
    max_transcribed_s: float = Field(600.0, description="Seconds of speech that a request to transcribe may hold.")
    max_transcriptions: int = Field(
        4, description="Requests to transcribe that one owner may have waiting or running at once."
    )
    transcription_wait_s: float = Field(
        120.0, description="Seconds that a request to transcribe waits for a worker before it is given up."
    )
    min_free_disk_bytes: int = Field(1 * GIB, description="Free disk space below which uploads are refused.")

    lease_s: float = Field(60.0, description="Seconds of silence after which a worker loses its task.")
    heartbeat_s: float = Field(
        5.0, description="Seconds between a worker's heartbeats, and the longest that a cancel takes to reach a task."
    )
    sweep_s: float = Field(
        15.0,
        description="Seconds between sweeps; the task of a killed worker is queued again within a lease and a sweep.",
    )
    resend_after_s: float = Field(
        120.0, description="Seconds after which a queued task is announced again, in case its message was lost."
    )
    task_deadline_s: float = Field(6 * 3600.0, description="Seconds after which a worker ends its task and itself.")
    max_attempts: int = Field(3, description="Times that a task is tried.")
    block_threads: int = Field(
        1,
        description="Threads of a task that runs beside others of its stage: workers times this should be the "
        "number of cores.",
    )
    stage_threads: int = Field(
        0, description="Threads of a task that runs alone, such as tune or export; 0 means all cores."
    )
    calibration_shards: int = Field(2, description="Tasks that share the calibration of one job.")

    @field_validator("cors_origins", mode="before")
    @classmethod
    def _separate(cls, given: object) -> object:
        """The environment holds one text."""
        return parse_origins(given) if isinstance(given, str) else given

    @field_validator("webhook_private_networks", mode="before")
    @classmethod
    def _separate_networks(cls, given: object) -> object:
        """The environment holds one text."""
        return parse_networks(given) if isinstance(given, str) else given

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
