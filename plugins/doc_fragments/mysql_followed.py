# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of the options by which the server on a host reaches the primary."""

from __future__ import annotations


class ModuleDocFragment:
    """Fragment C(trinitycore.mcp.mysql_followed)."""

    DOCUMENTATION = r"""
options:
  primary:
    description: The primary.
    type: dict
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
    description: Port of the primary's server.
    type: int
    default: 3306
  user:
    description: Account to replicate by, which the primary is asked by too.
    type: str
    default: replication
  password:
    description: Its password.
    type: str
    required: true
  ca_file:
    description: Authority that signed the hosts' certificates, readable to the server.
    type: path
    required: true
"""
