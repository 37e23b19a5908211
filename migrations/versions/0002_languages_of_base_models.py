"""languages of base models

Of the rows there are, only the English-only ones tell theirs, by the name or the vocabulary that OpenAI gave them. The
others are unknown until they are registered again; jobs in English still start from them.

Revision: 0002, after 0001
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("base_model", sa.Column("languages", postgresql.JSONB(astext_type=sa.Text()), nullable=True))
    op.execute(
        """UPDATE base_model SET languages = '["en"]' WHERE id LIKE '%.en' OR (shape ->> 'vocab_size')::int = 51864"""
    )


def downgrade() -> None:
    op.drop_column("base_model", "languages")
