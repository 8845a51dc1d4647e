# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of the option by which modules ask the NGINX of a load balancer."""

from __future__ import annotations


class ModuleDocFragment:
    """Fragment C(trinitycore.mcp.edge_control)."""

    DOCUMENTATION = r"""
options:
  control_socket:
    description: Where NGINX says what it does.
    type: path
    default: /run/trinitycore-edge/control.sock
"""
