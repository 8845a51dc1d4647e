# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of the options by which modules change the roles of database servers."""

from __future__ import annotations


class ModuleDocFragment:
    """Fragment C(trinitycore.mcp.mysql_roles)."""

    DOCUMENTATION = r"""
options:
  replication_user:
    description: Account to replicate by.
    type: str
    default: replication
  replication_password:
    description: Its password.
    type: str
    required: true
  timeout:
    description: Seconds that each of the others has to follow the new primary.
    type: float
    default: 30.0
"""
