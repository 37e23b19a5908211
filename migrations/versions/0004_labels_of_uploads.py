"""what an upload's name reads as, so that two files of one name are found without reading all names

Revision: 0004, after 0003
"""

import sqlalchemy as sa
from alembic import op

from adaptwin_core.speech.files.sources import label

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("upload", sa.Column("label", sa.String(), nullable=True))
    upload = sa.table("upload", sa.column("id", sa.String()), sa.column("file_name"), sa.column("label"))
    connection = op.get_bind()
    for row in connection.execute(sa.select(upload.c.id, upload.c.file_name)).all():
        connection.execute(sa.update(upload).where(upload.c.id == row.id).values(label=label(row.file_name)))
    op.alter_column("upload", "label", nullable=False)
    op.create_index("ix_upload_dataset_label", "upload", ["dataset_id", "label"])


def downgrade() -> None:
    op.drop_index("ix_upload_dataset_label", "upload")
    op.drop_column("upload", "label")
