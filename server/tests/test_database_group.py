"""What a MySQL server that is a member of a group says of itself, and of a write that the group did not take."""

from __future__ import annotations

import pytest
from asyncmy import errors as driver

from trinitycore_mcp.database.dialect import MARIADB, MYSQL, Replication
from trinitycore_mcp.database.errors import HostLost, HostReadOnly, translate


def test_a_member_that_is_online_is_fit_for_reads_and_tells_its_lag() -> None:
    assert MYSQL.membership([{"state": "ONLINE", "lag": 3}]) == Replication(3.0, "")
    assert MYSQL.membership([{"state": "ERROR", "lag": 0}]) == Replication(0.0, "it is ERROR in its group")
    assert MYSQL.membership([]) is None, "it follows another one, or nobody"
    assert not MARIADB.group_status


@pytest.mark.parametrize("code", [3100, 3101])
def test_a_write_whose_member_left_its_group_is_not_told_to_have_failed(code: int) -> None:
    """The others may have it: the writer makes OutcomeUnknown of a lost host."""
    failure = translate(driver.OperationalError(code, "Plugin instructed the server to rollback"))
    assert isinstance(failure, HostLost)
    assert not isinstance(failure, HostReadOnly)


def test_a_host_that_hands_the_primarys_role_over_took_nothing() -> None:
    failure = translate(driver.OperationalError(4094, "All queries have been blocked"))
    assert isinstance(failure, HostReadOnly)
