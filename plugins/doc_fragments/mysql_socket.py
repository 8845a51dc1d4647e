# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of the option by which modules reach the database server of their own host."""

from __future__ import annotations


class ModuleDocFragment:
    """Fragment C(trinitycore.mcp.mysql_socket)."""

    DOCUMENTATION = r"""
options:
  socket:
    description: Unix socket of the server on this host.
    type: path
    default: /run/mysqld/mysqld.sock
"""
