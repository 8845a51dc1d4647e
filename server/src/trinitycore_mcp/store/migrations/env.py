"""What Alembic runs around the migrations; store/migrate.py hands over the session."""

from __future__ import annotations

from alembic import context

attributes = context.config.attributes
if context.is_offline_mode():
    context.configure(dialect_name="mysql", literal_binds=True, version_table=attributes["version_table"])
else:
    context.configure(connection=attributes["connection"], version_table=attributes["version_table"])
with context.begin_transaction():
    context.run_migrations()
