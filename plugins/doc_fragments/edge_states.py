# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of the option by which modules reach the states of a load balancer's members."""

from __future__ import annotations


class ModuleDocFragment:
    """Fragment C(trinitycore.mcp.edge_states)."""

    DOCUMENTATION = r"""
options:
  states_file:
    description: Where the states are kept.
    type: path
    default: /var/lib/trinitycore-edge/states.json
"""
