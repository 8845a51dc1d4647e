# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of the option by which modules take database accounts."""

from __future__ import annotations


class ModuleDocFragment:
    """Fragment C(trinitycore.mcp.mysql_accounts)."""

    DOCUMENTATION = r"""
options:
  accounts:
    description: Accounts and all of their privileges.
    type: list
    elements: dict
    default: []
    suboptions:
      user:
        description: Name.
        type: str
        required: true
      host:
        description: Host pattern.
        type: str
        default: "%"
      password:
        description: Password.
        type: str
        required: true
      tls:
        description: Whether the account must use TLS. An account of V(localhost) comes by the Unix socket.
        type: bool
        default: true
      privileges:
        description:
          - Privileges by level, such as C(*.*), C(world.*) or C(mcp.deployment_record), named as SHOW GRANTS does.
        type: dict
        default: {}
      readable:
        description:
          - Databases of which the account may read a part, by name. Each holds one list of C(table.column) patterns,
            such as C(account.id), C(uptime.*) or C(*.*_ip) - V(only), what is open while all else is closed, or V(but),
            what is closed while all else is open.
          - It becomes grants on the tables and columns that exist now; a table that is made later is looked at by the
            next run. Views stay closed.
        type: dict
        default: {}
"""
