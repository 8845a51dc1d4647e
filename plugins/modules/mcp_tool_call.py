#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Ansible module: call a tool of an MCP server and return its answer."""

from __future__ import annotations

DOCUMENTATION = """
module: mcp_tool_call
author: The trinitycore.mcp authors
version_added: 2.0.0
short_description: Call a tool of an MCP server and return its answer
description:
  - Makes one real C(tools/call) over HTTPS, the way a client does, and retries while there is no answer.
  - Fails when no answer came. A tool's own error (for example, that a table is missing) is an answer.
options:
  url:
    description: Endpoint of the server.
    type: str
    required: true
  tool:
    description: Name of the tool.
    type: str
    required: true
  arguments:
    description: Arguments of the tool.
    type: dict
    default: {}
  api_key:
    description: Key sent as bearer token.
    type: str
  address:
    description: Connect to this address instead of resolving the domain of O(url).
    type: str
  ca_file:
    description: Trusted authority, a PEM file. The system's authorities if left out.
    type: path
  cert_file:
    description: Certificate to show, a PEM file, where a server instance is called past the load balancer.
    type: path
  key_file:
    description: Its key.
    type: path
  timeout:
    description: Seconds for connecting and for the answer.
    type: float
    default: 10.0
  retries:
    description: How often to try again, a second apart, when there was no answer.
    type: int
    default: 0
attributes:
  check_mode:
    support: full
    description: Tools that this module calls only read, so the call is made in check mode too.
"""

EXAMPLES = """
- name: The service answers through the load balancer
  trinitycore.mcp.mcp_tool_call:
    url: https://mcp.example.com/mcp
    tool: creature_get
    arguments: {id: 1}
    api_key: "{{ mcp_server_api_key }}"
  delegate_to: localhost
"""

RETURN = """
is_error:
  description: Whether the tool answered with an error of its own.
  returned: success
  type: bool
text:
  description: The answer as text.
  returned: success
  type: str
structured:
  description: The structured answer, if the tool gives one.
  returned: success
  type: dict
instance:
  description: Server instance that answered.
  returned: success
  type: str
"""

import time

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.trinitycore.mcp.plugins.module_utils.mcp_client import McpCallError, call_tool


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "url": {"type": "str", "required": True},
            "tool": {"type": "str", "required": True},
            "arguments": {"type": "dict", "default": {}},
            "api_key": {"type": "str", "no_log": True},
            "address": {"type": "str"},
            "ca_file": {"type": "path"},
            "cert_file": {"type": "path"},
            "key_file": {"type": "path"},
            "timeout": {"type": "float", "default": 10.0},
            "retries": {"type": "int", "default": 0},
        },
        supports_check_mode=True,
    )
    options = dict(module.params)
    for left in range(options.pop("retries"), -1, -1):
        try:
            answer = call_tool(**options)
        except McpCallError as error:
            if not left:
                module.fail_json(msg=f"tool {options['tool']} at {options['url']}: {error}")
            time.sleep(1)
        else:
            module.exit_json(
                is_error=answer.is_error, text=answer.text, structured=answer.structured, instance=answer.instance
            )


if __name__ == "__main__":
    main()
