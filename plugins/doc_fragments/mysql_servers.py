# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of the options by which modules reach all database servers."""

from __future__ import annotations


class ModuleDocFragment:
    """Fragment C(trinitycore.mcp.mysql_servers)."""

    DOCUMENTATION = r"""
options:
  members:
    description: All database hosts.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: Name of the host.
        type: str
        required: true
      address:
        description: Its address; its certificate must be made out to it.
        type: str
        required: true
  port:
    description: Port of every server.
    type: int
    default: 3306
  admin_user:
    description: Account that switches roles and replication.
    type: str
    default: admin
  admin_password:
    description: Its password.
    type: str
    required: true
  ca_file:
    description: Authority that signed the servers' certificates, readable to the servers too.
    type: path
    required: true
"""
