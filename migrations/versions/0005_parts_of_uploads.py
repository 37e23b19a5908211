"""uploads in parts: what Upload-Concat said, and which upload a part went into; a part is in no dataset

Revision: 0005, after 0004
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("upload", sa.Column("concat", sa.String(), nullable=True))
    op.add_column("upload", sa.Column("final_id", sa.String(), nullable=True))
    op.create_foreign_key("upload_final_id_fkey", "upload", "upload", ["final_id"], ["id"])
    op.alter_column("upload", "dataset_id", nullable=True)


def downgrade() -> None:
    # Without the columns a part would read as a file of no dataset: it is given up, with its bytes.
    op.execute("DELETE FROM upload WHERE dataset_id IS NULL")
    op.alter_column("upload", "dataset_id", nullable=False)
    op.drop_constraint("upload_final_id_fkey", "upload")
    op.drop_column("upload", "final_id")
    op.drop_column("upload", "concat")
