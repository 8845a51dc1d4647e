"""Backup runs. Times are UTC."""

from __future__ import annotations

from alembic import op

from trinitycore_mcp.store.migrations import TABLE_OPTIONS

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Make the table."""
    op.execute(
        f"""
        CREATE TABLE IF NOT EXISTS backup_runs (
            id BIGINT NOT NULL AUTO_INCREMENT,
            started_at DATETIME(6) NOT NULL,
            finished_at DATETIME(6) NULL,
            kind VARCHAR(32) NOT NULL,
            outcome VARCHAR(32) NULL,
            file VARCHAR(512) NULL,
            bytes BIGINT NULL,
            sha256 CHAR(64) NULL,
            detail TEXT NULL,
            PRIMARY KEY (id),
            KEY started_at (started_at)
        ) {TABLE_OPTIONS}
        """
    )


def downgrade() -> None:
    """Drop the table."""
    op.execute("DROP TABLE IF EXISTS backup_runs")
