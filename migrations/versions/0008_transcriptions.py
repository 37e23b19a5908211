"""recordings that wait to be transcribed, and whose task is which; a task goes with its transcription

Revision: 0008, after 0007
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "transcription",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("tenant_id", sa.String(), nullable=False),
        sa.Column("model_id", sa.String(), nullable=False),
        sa.Column("wanted", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("audio", sa.LargeBinary(), nullable=True),
        sa.Column("heard", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("error", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["model_id"], ["model.id"]),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_transcription_tenant_id"), "transcription", ["tenant_id"])
    op.add_column("task", sa.Column("transcription_id", sa.String(), nullable=True))
    op.create_foreign_key(
        "task_transcription_id_fkey", "task", "transcription", ["transcription_id"], ["id"], ondelete="CASCADE"
    )
    op.create_index(op.f("ix_task_transcription_id"), "task", ["transcription_id"])


def downgrade() -> None:
    op.execute("DELETE FROM task WHERE transcription_id IS NOT NULL")
    op.drop_index(op.f("ix_task_transcription_id"), "task")
    op.drop_constraint("task_transcription_id_fkey", "task")
    op.drop_column("task", "transcription_id")
    op.drop_table("transcription")
