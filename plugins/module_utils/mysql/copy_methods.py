"""Which way each kind of server is copied by."""

from __future__ import annotations

from .copy_backup import BackupCopy
from .copy_clone import CloneCopy
from .copy_method import CopyMethod
from .mariadb import MariaDB
from .oracle import OracleMySQL

METHODS: dict[str, CopyMethod] = {MariaDB.name: BackupCopy(), OracleMySQL.name: CloneCopy()}
