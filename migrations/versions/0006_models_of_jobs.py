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

_REFUSE_IF_SEVERAL = """
DO $$ BEGIN
  IF EXISTS (
    SELECT FROM job WHERE stage IN ('evaluate', 'choose') AND state NOT IN ('succeeded', 'failed', 'cancelled')
  ) THEN RAISE 'jobs are being evaluated: let them end, or cancel them';
  END IF;
  IF EXISTS (
    SELECT FROM job_member LEFT JOIN model USING (job_id, place) JOIN job ON job.id = job_member.job_id
    WHERE place > 0 AND (job.state NOT IN ('succeeded', 'failed', 'cancelled') OR model.manifest ? 'files')
  ) THEN RAISE 'jobs have several models: delete all but the first of each, let the sweeper erase them, and try again';
  END IF;
END $$
"""


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
    # An older version knows one model a job, and would neither finish nor erase what it does not know.
    op.execute(_REFUSE_IF_SEVERAL)
    op.execute("DELETE FROM model WHERE place > 0")
    op.execute("DELETE FROM task WHERE job_id IS NOT NULL AND NOT models @> '[0]'")
    op.execute("DELETE FROM task WHERE stage = 'choose' OR (stage = 'evaluate' AND split_part(key, ':', 4) = 'valid')")
    op.drop_constraint("model_job_id_place_key", "model")
    op.create_unique_constraint(None, "model", ["job_id"])
    op.drop_column("model", "place")
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
