"""how long tasks worked beside how long they were expected to, and the workers that are there

Revision: 0009, after 0008
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("task", sa.Column("worked_s", sa.Float(), nullable=True))
    op.add_column("task", sa.Column("expected_s", sa.Float(), nullable=True))
    op.create_index(
        "ix_task_worked", "task", ["stage", "finished_at"], unique=False, postgresql_where="worked_s IS NOT NULL"
    )
    op.create_table(
        "worker",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("queues", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )


def downgrade() -> None:
    op.drop_table("worker")
    op.drop_index("ix_task_worked", table_name="task", postgresql_where="worked_s IS NOT NULL")
    op.drop_column("task", "expected_s")
    op.drop_column("task", "worked_s")
