"""Migrations of our own tables; see store/migrate.py.

To add one: the next number under versions/, `down_revision` the one before, one statement in it that may run again.
It is SQL, since SQLAlchemy defines a table and its indexes by several. Servers of the release before go on working on
the new tables: a column is added with a default, and dropped one release after the last that uses it.
"""

TABLE_OPTIONS = "ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin"
"""Compared byte by byte: names that differ in case are different names."""
