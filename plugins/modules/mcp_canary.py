#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Ansible module: watch a server instance that runs a new release, and compare it with the others."""

from __future__ import annotations

DOCUMENTATION = """
module: mcp_canary
author: The trinitycore.mcp authors
version_added: 2.0.0
short_description: Compare a server instance that runs a new release with the others, by their own metrics
description:
  - Reads the metrics of all instances at the beginning, every second, and at the end, and compares the tool calls in
    between - the share that failed, and the median and the 95th percentile of the durations of each tool.
  - While there are too few calls for a judgement it makes calls itself, of the canary and of one of the rest.
  - Fails as soon as the canary fails too often, does not answer or was started anew; at the end when it is too slow,
    and then only if it is so in a second look of the same length too. The message says what was measured and what is
    allowed.
  - Runs on an app host, which may read the metrics of all of them.
options:
  canary:
    description: The instance with the new release.
    type: dict
    required: true
    suboptions: &instance
      name:
        description: Its name, such as V(app1-1).
        type: str
        required: true
      url:
        description: Its endpoint.
        type: str
        required: true
      metrics_url:
        description: Its metrics.
        type: str
        required: true
  rest:
    description: Instances with the old release. One that can't be read is left out, as long as one is left.
    type: list
    elements: dict
    required: true
    suboptions: *instance
  seconds:
    description: How long to watch.
    type: float
    default: 60.0
  settle:
    description: Seconds before that in which the canary gets warm; errors count then, durations don't.
    type: float
    default: 10.0
  calls:
    description: Calls that the canary and the rest must have had each, before they are compared.
    type: int
    default: 200
  errors:
    description: By how much the canary's share of failed calls may be higher, 0 to 1.
    type: float
    default: 0.01
  latency_factor:
    description: How many times as long as the rest's the canary's median and 95th percentile may be.
    type: float
    default: 1.5
  latency_slack:
    description: Seconds that it may be longer besides.
    type: float
    default: 0.001
  tool:
    description: Tool that is called when there are too few calls.
    type: str
    required: true
  arguments:
    description: Its arguments.
    type: dict
    default: {}
  api_key:
    description: Key for these calls.
    type: str
  ca_file:
    description: Authority of the instances.
    type: path
    required: true
  cert_file:
    description: Certificate to show them.
    type: path
    required: true
  key_file:
    description: Its key.
    type: path
    required: true
attributes:
  check_mode:
    support: full
    description: Reads the metrics once, to see that it can.
"""

EXAMPLES = """
- name: Watch the canary
  trinitycore.mcp.mcp_canary:
    canary: {name: app1-1, url: 'https://10.0.0.21:8001/mcp', metrics_url: 'https://10.0.0.21:9464/metrics'}
    rest: [{name: app1-2, url: 'https://10.0.0.21:8002/mcp', metrics_url: 'https://10.0.0.21:9465/metrics'}]
    seconds: 120
    tool: creature_get
    arguments: {id: 1}
    api_key: "{{ mcp_server_api_key }}"
    ca_file: /etc/trinitycore-pki/ca.crt
    cert_file: /etc/trinitycore-pki/host.crt
    key_file: /etc/trinitycore-pki/host.key
"""

RETURN = """
measured:
  description: Calls, failed calls, and medians and 95th percentiles by tool, of the canary and the rest.
  returned: when both were measured
  type: dict
  sample: {canary: {calls: 812, failed: 0, p50_ms creature_get: 0.3, p95_ms creature_get: 1.9}, rest: {calls: 2433}}
own_calls:
  description: Calls that the module made.
  returned: always
  type: int
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.trinitycore.mcp.plugins.module_utils.canary import CanaryError, Thresholds
from ansible_collections.trinitycore.mcp.plugins.module_utils.canary_watch import Instance, Watch


def main() -> None:
    """Run the module."""
    instance = {
        "type": "dict",
        "required": True,
        "options": {name: {"type": "str", "required": True} for name in ("name", "url", "metrics_url")},
    }
    module = AnsibleModule(
        argument_spec={
            "canary": instance,
            "rest": {**instance, "type": "list", "elements": "dict"},
            "seconds": {"type": "float", "default": 60.0},
            "settle": {"type": "float", "default": 10.0},
            "calls": {"type": "int", "default": 200},
            "errors": {"type": "float", "default": 0.01},
            "latency_factor": {"type": "float", "default": 1.5},
            "latency_slack": {"type": "float", "default": 0.001},
            "tool": {"type": "str", "required": True},
            "arguments": {"type": "dict", "default": {}},
            "api_key": {"type": "str", "no_log": True},
            "ca_file": {"type": "path", "required": True},
            "cert_file": {"type": "path", "required": True},
            "key_file": {"type": "path", "required": True},
        },
        supports_check_mode=True,
    )
    options = module.params
    tls = {name: options[name] for name in ("ca_file", "cert_file", "key_file")}
    watch = Watch(
        Instance(**options["canary"], **tls),
        [Instance(**each, **tls) for each in options["rest"]],
        Thresholds(options["calls"], options["errors"], options["latency_factor"], options["latency_slack"]),
        {name: options[name] for name in ("tool", "arguments", "api_key")},
    )
    try:
        if module.check_mode:
            watch.look()
        else:
            watch.run(options["settle"], options["seconds"])
    except CanaryError as error:
        module.fail_json(
            msg=f"{options['canary']['name']}: {error}", measured=watch.measured, own_calls=watch.own_calls
        )
    module.exit_json(changed=False, measured=watch.measured, own_calls=watch.own_calls)


if __name__ == "__main__":
    main()
