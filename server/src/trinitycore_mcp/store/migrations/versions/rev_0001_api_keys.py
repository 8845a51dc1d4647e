"""API keys, kept as SHA-256 only. Times are UTC."""

from __future__ import annotations

from alembic import op

from trinitycore_mcp.store.migrations import TABLE_OPTIONS

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the table."""
    op.execute(
        f"""
        CREATE TABLE IF NOT EXISTS api_keys (
            id INT NOT NULL AUTO_INCREMENT,
            name VARCHAR(64) NOT NULL,
            sha256 CHAR(64) NOT NULL,
            scopes VARCHAR(255) NOT NULL,
            expires_at DATETIME NULL,
            rate_requests INT NULL,
            rate_period_s DOUBLE NULL,
            rate_burst INT NULL,
            created_at DATETIME NOT NULL,
            revoked_at DATETIME NULL,
            last_used_at DATETIME NULL,
            PRIMARY KEY (id),
            UNIQUE KEY name (name),
            UNIQUE KEY sha256 (sha256)
        ) {TABLE_OPTIONS}
        """
    )


def downgrade() -> None:
    """Drop the table."""
    op.execute("DROP TABLE IF EXISTS api_keys")
