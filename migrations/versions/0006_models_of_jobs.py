"""several models of a job: each has a base model and settings, and a task may serve several of them

Revision: 0006, after 0005
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

JSONB = postgresql.JSONB(astext_type=sa.Text())


def upgrade() -> None:
    op.create_table(
        "job_member",
        sa.Column("job_id", sa.String(), sa.ForeignKey("job.id"), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("base_model_id", sa.String(), sa.ForeignKey("base_model.id"), nullable=False),
        sa.Column("spec", JSONB, nullable=False),
        sa.PrimaryKeyConstraint("job_id", "place"),
    )
    op.create_index(op.f("ix_job_member_base_model_id"), "job_member", ["base_model_id"])
    op.execute("INSERT INTO job_member (job_id, place, base_model_id, spec) SELECT id, 0, base_model_id, spec FROM job")
    op.drop_column("job", "base_model_id")
    op.drop_column("job", "spec")
    op.add_column("job", sa.Column("limits", JSONB, nullable=False, server_default="{}"))
    op.alter_column("job", "limits", server_default=None)
    op.add_column("job", sa.Column("choice", JSONB, nullable=True))
    op.add_column("task", sa.Column("models", JSONB, nullable=False, server_default="[]"))
    op.execute("UPDATE task SET models = '[0]' WHERE job_id IS NOT NULL")
    op.alter_column("task", "models", server_default=None)
    op.drop_constraint("task_job_id_stage_key_key", "task")
    op.create_unique_constraint(None, "task", ["job_id", "stage", "key", "models"])
    op.add_column("model", sa.Column("place", sa.Integer(), nullable=False, server_default="0"))
    op.alter_column("model", "place", server_default=None)
    op.drop_constraint("model_job_id_key", "model")
    op.create_unique_constraint(None, "model", ["job_id", "place"])


def downgrade() -> None:
    # An older version knows one model a job: jobs of several keep the first, and nothing of the others is served.
    op.execute("DELETE FROM model WHERE place > 0")
    op.drop_constraint("model_job_id_place_key", "model")
    op.create_unique_constraint(None, "model", ["job_id"])
    op.drop_column("model", "place")
    op.execute("DELETE FROM task WHERE job_id IS NOT NULL AND NOT models @> '[0]'")
    op.execute("DELETE FROM task WHERE stage = 'choose'")
    op.drop_constraint("task_job_id_stage_key_models_key", "task")
    op.create_unique_constraint(None, "task", ["job_id", "stage", "key"])
    op.drop_column("task", "models")
    op.drop_column("job", "choice")
    op.drop_column("job", "limits")
    op.add_column("job", sa.Column("base_model_id", sa.String(), sa.ForeignKey("base_model.id"), nullable=True))
    op.add_column("job", sa.Column("spec", JSONB, nullable=True))
    op.execute(
        "UPDATE job SET base_model_id = job_member.base_model_id, spec = job_member.spec FROM job_member "
        "WHERE job_member.job_id = job.id AND job_member.place = 0"
    )
    op.alter_column("job", "base_model_id", nullable=False)
    op.alter_column("job", "spec", nullable=False)
    op.drop_table("job_member")
