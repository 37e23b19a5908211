"""The tables. Times are UTC and set by the database, so a worker's clock never matters."""

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import (
    BigInteger,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Text,
    UniqueConstraint,
    false,
    func,
    true,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from adaptwin_core.domain.concatenation import part_ids
from adaptwin_core.domain.dataset_report import DatasetReport
from adaptwin_core.domain.model_limits import ModelLimits
from adaptwin_core.domain.model_names import model_name
from adaptwin_core.domain.shape import ModelShape
from adaptwin_core.domain.spec import CompressionSpec
from adaptwin_core.domain.states import DatasetState, DeliveryState, JobState, TaskState, UploadState
from adaptwin_core.domain.transcription import Transcription as Heard
from adaptwin_core.domain.transcription import Wanted
from adaptwin_core.store.blobs import Files
from adaptwin_core.store.columns import FilesColumn

JSON = dict[str, Any]


class Base(DeclarativeBase):
    type_annotation_map: ClassVar = {
        datetime: DateTime(timezone=True),
        Files: FilesColumn,
        dict[str, Any]: JSONB,
        list[Any]: JSONB,
        str: String,
        int: BigInteger,
    }


class Timed:
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class Tenant(Timed, Base):
    __tablename__ = "tenant"
    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)


class ApiKey(Timed, Base):
    __tablename__ = "api_key"
    id: Mapped[str] = mapped_column(primary_key=True)
    tenant_id: Mapped[str] = mapped_column(ForeignKey("tenant.id"), index=True)
    name: Mapped[str]
    secret_hmac: Mapped[bytes] = mapped_column(LargeBinary)  # HMAC-SHA256(secret_key, secret); the secret is shown once
    last_used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class BaseModel(Timed, Base):
    """An uncompressed Whisper that jobs may start from. Public: it holds nobody's voice."""

    __tablename__ = "base_model"
    id: Mapped[str] = mapped_column(primary_key=True)  # a short name, such as whisper-base
    source: Mapped[str]  # package:NAME, folder:PATH or hub:OWNER/NAME@REVISION
    digest: Mapped[str]  # SHA-256 over its weight and tokenizer files
    shape_json: Mapped[JSON] = mapped_column("shape")
    languages: Mapped[list[str] | None] = mapped_column(JSONB)  # Whisper's codes; None: registered by an older version
    licence: Mapped[str | None]

    @property
    def shape(self) -> ModelShape:
        return ModelShape.model_validate(self.shape_json)

    @shape.setter
    def shape(self, shape: ModelShape) -> None:
        self.shape_json = shape.model_dump(mode="json")


class Dataset(Timed, Base):
    """One speaker's (or a general group's) speech: uploads while open, a checked corpus once ready."""

    __tablename__ = "dataset"
    id: Mapped[str] = mapped_column(primary_key=True)
    tenant_id: Mapped[str] = mapped_column(ForeignKey("tenant.id"), index=True)
    name: Mapped[str]
    state: Mapped[str] = mapped_column(default=DatasetState.OPEN.value)
    digest: Mapped[str | None]  # of the corpus manifest: same speech, same digest
    report_json: Mapped[JSON | None] = mapped_column("report")
    files: Mapped[Files | None]  # corpus.json and its FLAC shards
    error: Mapped[JSON | None]  # {code, message}
    deleted_at: Mapped[datetime | None]

    @property
    def report(self) -> DatasetReport | None:
        """What was found in the speech, once it was read."""
        return DatasetReport.model_validate(self.report_json) if self.report_json is not None else None

    @report.setter
    def report(self, report: DatasetReport) -> None:
        self.report_json = report.model_dump(mode="json")


class Upload(Timed, Base):
    """One file on its way in, or a part of one. The offset is what is safe on disk."""

    __tablename__ = "upload"
    id: Mapped[str] = mapped_column(primary_key=True)
    tenant_id: Mapped[str] = mapped_column(ForeignKey("tenant.id"), index=True)
    dataset_id: Mapped[str | None] = mapped_column(ForeignKey("dataset.id"), index=True)  # None: a part
    file_name: Mapped[str]  # as the person named it: shown back, never used as a path; a part has none
    label: Mapped[str]  # the name in its plain form; it is unique in a dataset
    concat: Mapped[str | None]  # Upload-Concat, as it came
    final_id: Mapped[str | None] = mapped_column(ForeignKey("upload.id"))  # of a part: the upload that it went into
    length: Mapped[int]
    offset: Mapped[int] = mapped_column(default=0)
    state: Mapped[str] = mapped_column(default=UploadState.OPEN.value)
    sha256: Mapped[str | None]  # of the whole file, once complete; its blob's name
    expires_at: Mapped[datetime]
    writer_token: Mapped[str | None]  # of the newest request that writes; an older one finds it changed and stops
    __table_args__ = (Index("ix_upload_dataset_label", "dataset_id", "label"),)

    @property
    def part_ids(self) -> list[str]:
        """Ids of the parts that this upload is joined from, in order; none for other uploads."""
        return part_ids(self.concat)


class JobMember(Base):
    """One of the models that a job makes: its base model, and its settings."""

    __tablename__ = "job_member"
    job_id: Mapped[str] = mapped_column(ForeignKey("job.id"), primary_key=True)
    place: Mapped[int] = mapped_column(Integer, primary_key=True)  # among the job's models, from 0 on
    base_model_id: Mapped[str] = mapped_column(ForeignKey("base_model.id"), index=True)
    spec_json: Mapped[JSON] = mapped_column("spec")

    @property
    def spec(self) -> CompressionSpec:
        """The settings. A row of another version, which this one cannot read, fails here and in no list of jobs."""
        return CompressionSpec.model_validate(self.spec_json)

    @spec.setter
    def spec(self, spec: CompressionSpec) -> None:
        self.spec_json = spec.model_dump(mode="json")


class Job(Timed, Base):
    __tablename__ = "job"
    id: Mapped[str] = mapped_column(primary_key=True)
    tenant_id: Mapped[str] = mapped_column(ForeignKey("tenant.id"), index=True)
    dataset_id: Mapped[str] = mapped_column(ForeignKey("dataset.id"))
    general_dataset_id: Mapped[str | None] = mapped_column(ForeignKey("dataset.id"))
    name: Mapped[str | None]
    members: Mapped[list[JobMember]] = relationship(order_by=JobMember.place, lazy="selectin")
    limits_json: Mapped[JSON] = mapped_column("limits", default=dict)  # what the model to take must fit
    choice: Mapped[JSON | None]  # among several models: what the stage `choose` found
    accept_little: Mapped[bool] = mapped_column(default=False, server_default=false())
    idempotency_key: Mapped[str | None]
    request_digest: Mapped[str | None]
    state: Mapped[str] = mapped_column(default=JobState.QUEUED.value)
    stage: Mapped[str | None]  # the stage whose tasks are out now
    remaining: Mapped[int] = mapped_column(Integer, default=0)  # tasks of this stage not yet done: the fan-in counter
    error: Mapped[JSON | None]  # {code, message, task}
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    __table_args__ = (UniqueConstraint("tenant_id", "idempotency_key"), Index("ix_job_state", "state"))

    @property
    def base_models(self) -> list[str]:
        """The base models that it starts from, each once."""
        return list(dict.fromkeys(member.base_model_id for member in self.members))

    @property
    def limits(self) -> ModelLimits:
        return ModelLimits.model_validate(self.limits_json)

    @limits.setter
    def limits(self, limits: ModelLimits) -> None:
        self.limits_json = limits.model_dump(mode="json")


class Task(Timed, Base):
    """One leased piece of work. `attempt` is the fencing token: only its holder may finish the task."""

    __tablename__ = "task"
    id: Mapped[str] = mapped_column(primary_key=True)
    job_id: Mapped[str | None] = mapped_column(ForeignKey("job.id"), index=True)
    dataset_id: Mapped[str | None] = mapped_column(ForeignKey("dataset.id"), index=True)  # of an ingest task
    transcription_id: Mapped[str | None] = mapped_column(ForeignKey("transcription.id", ondelete="CASCADE"), index=True)
    stage: Mapped[str]
    key: Mapped[str]  # a key of domain/task_keys.py, as text
    models: Mapped[list[Any]] = mapped_column(default=list)  # places of those models of the job that share its result
    state: Mapped[str] = mapped_column(default=TaskState.QUEUED.value)
    attempt: Mapped[int] = mapped_column(Integer, default=0)
    lease_owner: Mapped[str | None]
    lease_until: Mapped[datetime | None]
    announced_at: Mapped[datetime] = mapped_column(server_default=func.now())  # when its last message was written
    progress: Mapped[JSON | None]  # {step, total, …}: latest only
    result_key: Mapped[str | None] = mapped_column(index=True)
    error: Mapped[JSON | None]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    worked_s: Mapped[float | None]  # of the worker that made the result; None where a kept one was taken
    expected_s: Mapped[float | None]  # by the rates of domain/estimate.py, where worked_s is known
    __table_args__ = (
        UniqueConstraint("job_id", "stage", "key", "models"),
        Index("ix_task_state_lease", "state", "lease_until"),
        Index("ix_task_worked", "stage", "finished_at", postgresql_where="worked_s IS NOT NULL"),
    )


class Result(Timed, Base):
    """What a task made, named by all that went in. A task of equal inputs takes it and does no work."""

    __tablename__ = "result"
    key: Mapped[str] = mapped_column(primary_key=True)  # SHA-256 over scope and all inputs
    tenant_id: Mapped[str | None] = mapped_column(ForeignKey("tenant.id"), index=True)  # None: nobody's voice is in it
    files: Mapped[Files]
    info: Mapped[JSON] = mapped_column(default=dict)  # small figures worth showing: errors, seconds


class Worker(Base):
    """A process that does tasks."""

    __tablename__ = "worker"
    id: Mapped[str] = mapped_column(primary_key=True)  # host and process
    queues: Mapped[list[Any]]
    seen_at: Mapped[datetime] = mapped_column(server_default=func.now())


class Model(Timed, Base):
    """A finished, downloadable model."""

    __tablename__ = "model"
    id: Mapped[str] = mapped_column(primary_key=True)
    tenant_id: Mapped[str] = mapped_column(ForeignKey("tenant.id"), index=True)
    job_id: Mapped[str] = mapped_column(ForeignKey("job.id"))
    place: Mapped[int] = mapped_column(Integer, default=0)  # among the job's models
    manifest: Mapped[JSON]
    num_downloads: Mapped[int] = mapped_column(default=0)
    deleted_at: Mapped[datetime | None]
    __table_args__ = (UniqueConstraint("job_id", "place"),)

    @property
    def name(self) -> str | None:
        """What it is in words; None of a manifest that an older version wrote."""
        try:
            base_model, plan, spec = (self.manifest[key] for key in ("base_model", "plan", "spec"))
            return model_name(
                base_model,
                encoder_cut=plan["encoder_cut"],
                decoder_cut=plan["decoder_cut"],
                weights=spec["weights"],
            )
        except KeyError:
            return None


class Transcription(Timed, Base):
    """A recording that somebody waits for to be written down. The row goes once the answer is given, with its task."""

    __tablename__ = "transcription"
    id: Mapped[str] = mapped_column(primary_key=True)
    tenant_id: Mapped[str] = mapped_column(ForeignKey("tenant.id"), index=True)
    model_id: Mapped[str] = mapped_column(ForeignKey("model.id"))
    wanted_json: Mapped[JSON] = mapped_column("wanted")
    # The file as it came: no blob, so that it goes with the row, and from every machine at once. None: it was heard.
    audio: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)
    heard_json: Mapped[JSON | None] = mapped_column("heard")
    error: Mapped[JSON | None]  # {code, message}

    @property
    def wanted(self) -> Wanted:
        """How the recording is to be heard."""
        return Wanted.model_validate(self.wanted_json)

    @property
    def heard(self) -> Heard | None:
        """What was heard, once it was."""
        return None if self.heard_json is None else Heard.model_validate(self.heard_json)


class Event(Base):
    """What happened to a job, in order, for people. `id` is the SSE event id."""

    __tablename__ = "event"
    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=True)
    job_id: Mapped[str] = mapped_column(ForeignKey("job.id"), index=True)
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    kind: Mapped[str]  # state, stage, task, progress, warning
    message: Mapped[str] = mapped_column(Text)
    data: Mapped[JSON] = mapped_column(default=dict)


class Outbox(Timed, Base):
    """Messages written with the change they announce, sent after it is committed."""

    __tablename__ = "outbox"
    id: Mapped[str] = mapped_column(primary_key=True)
    topic: Mapped[str]  # the Celery task name
    queue: Mapped[str]
    args: Mapped[list[Any]]
    due_at: Mapped[datetime] = mapped_column(server_default=func.now())  # later than now: a retry after a pause
    sent_at: Mapped[datetime | None]
    __table_args__ = (Index("ix_outbox_unsent", "due_at", postgresql_where="sent_at IS NULL"),)


class Webhook(Timed, Base):
    """An address that its owner wants events to be sent to. Its signing secret follows from its id: none is kept."""

    __tablename__ = "webhook"
    id: Mapped[str] = mapped_column(primary_key=True)
    tenant_id: Mapped[str] = mapped_column(ForeignKey("tenant.id"), index=True)
    url: Mapped[str]
    events: Mapped[list[str] | None] = mapped_column(JSONB(none_as_null=True))  # types of domain/webhooks.py; None: all
    is_enabled: Mapped[bool] = mapped_column(default=True, server_default=true())


class WebhookDelivery(Timed, Base):
    """One event on its way to one webhook. `num_tries` is the fencing token: only the newest try may end it."""

    __tablename__ = "webhook_delivery"
    id: Mapped[str] = mapped_column(primary_key=True)
    webhook_id: Mapped[str] = mapped_column(ForeignKey("webhook.id", ondelete="CASCADE"), index=True)
    event_id: Mapped[str]  # the same for all webhooks that are told of one event
    type: Mapped[str]
    body: Mapped[str] = mapped_column(Text)  # JSON, as it is signed and sent
    state: Mapped[str] = mapped_column(default=DeliveryState.PENDING.value)
    num_tries: Mapped[int] = mapped_column(Integer, default=0)
    due_at: Mapped[datetime | None] = mapped_column(server_default=func.now())  # of the next try; None once it ended
    last_status: Mapped[int | None] = mapped_column(Integer)  # what the receiver answered to the last try
    last_error: Mapped[str | None] = mapped_column(Text)
    finished_at: Mapped[datetime | None]
    __table_args__ = (Index("ix_webhook_delivery_pending", "due_at", postgresql_where="state = 'pending'"),)
