"""Fencing tokens: the highest that a job's leader has shown, so that a leader of the past can do no harm."""

from __future__ import annotations

from alembic import op

from trinitycore_mcp.store.migrations import TABLE_OPTIONS

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make the table."""
    op.execute(
        f"""
        CREATE TABLE IF NOT EXISTS fencing (
            name VARCHAR(64) NOT NULL,
            token BIGINT NOT NULL,
            PRIMARY KEY (name)
        ) {TABLE_OPTIONS}
        """
    )


def downgrade() -> None:
    """Drop the table."""
    op.execute("DROP TABLE IF EXISTS fencing")
