"""Audit records: who called which admin tool with what, and what became of it. Times are UTC."""

from __future__ import annotations

from alembic import op

from trinitycore_mcp.store.migrations import TABLE_OPTIONS

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make the table."""
    op.execute(
        f"""
        CREATE TABLE IF NOT EXISTS audit (
            id BIGINT NOT NULL AUTO_INCREMENT,
            at DATETIME(6) NOT NULL,
            instance VARCHAR(64) NOT NULL,
            principal VARCHAR(128) NOT NULL,
            auth_method VARCHAR(16) NOT NULL,
            tool VARCHAR(64) NOT NULL,
            arguments TEXT NULL,
            outcome VARCHAR(32) NOT NULL,
            duration_ms DOUBLE NULL,
            trace_id CHAR(32) NULL,
            PRIMARY KEY (id),
            KEY at (at)
        ) {TABLE_OPTIONS}
        """
    )


def downgrade() -> None:
    """Drop the table."""
    op.execute("DROP TABLE IF EXISTS audit")
