# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Bring one component of a host to its wanted state in one call."""

from __future__ import annotations

DOCUMENTATION = r"""
module: component
short_description: Bring one component of a host to its wanted state in one call
description:
  - Groups, users, directories, files, links, absent paths and units of one component, in this order, in one
    round trip to the host.
  - Every template is rendered on the controller. All new files are written beside their targets and validated
    before the first live file is replaced; then all are moved into place, each in one step. When one can't be
    replaced, or one of O(check) fails afterwards, all files of the call get their former content back.
  - Units are restarted or reloaded by state, not by notification. The contents that a unit runs with are
    remembered in C(/run/trinitycore-ansible/) together with the unit's invocation, so a run that was
    killed between replacing a file and restarting its unit is finished by the next run. Without such a memory
    (after a boot or a restart by hand) a file newer than the unit's start asks for the restart.
  - Unit files and drop-ins below C(/etc/systemd/system) make systemd read its configuration again, and always
    restart the unit they define.
author:
  - The trinitycore.mcp authors (@trinitycore)
version_added: 2.0.0
options:
  groups:
    description: Groups that must exist.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: Name of the group.
        type: str
        required: true
      gid:
        description: Number of the group. An existing group with another number is an error, it is not renumbered.
        type: int
      system:
        description: Take the number from the range of system groups.
        type: bool
        default: false
  users:
    description: Users that must exist, or must not.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: Name of the user.
        type: str
        required: true
      state:
        description: With V(absent) the account is removed; its home stays.
        type: str
        choices: [present, absent]
        default: present
      uid:
        description: Number of the user. An existing user with another number is an error, it is not renumbered.
        type: int
      system:
        description: Take the number from the range of system users.
        type: bool
        default: false
      group:
        description: Primary group. A new user without it gets a group of its own name.
        type: str
      groups:
        description: Supplementary groups.
        type: list
        elements: str
      append:
        description: Leave other memberships alone. With V(false), O(users[].groups) is the whole list.
        type: bool
        default: true
      home:
        description: Home directory.
        type: path
      shell:
        description: Login shell.
        type: path
      create_home:
        description: Create the home directory together with the account.
        type: bool
        default: false
      comment:
        description: Full name or purpose.
        type: str
  directories:
    description: Directories that must exist. Missing parents are made as root:root 0755.
    type: list
    elements: dict
    default: []
    suboptions:
      path:
        description: Where.
        type: path
        required: true
      owner:
        description: Owner, by name or number.
        type: str
        default: root
      group:
        description: Group, by name or number.
        type: str
        default: root
      mode:
        description: Permissions as a quoted octal number.
        type: str
        default: '0755'
  files:
    description: >-
      Files with their whole content, from exactly one of O(files[].template), O(files[].src) and
      O(files[].content).
    type: list
    elements: dict
    default: []
    suboptions:
      dest:
        description: Absolute path on the host. A symbolic link there is replaced by the file.
        type: path
        required: true
      template:
        description: >-
          Template below the role's C(templates/), rendered on the controller as M(ansible.builtin.template) does.
        type: str
      vars:
        description: Further variables for the template, before all others.
        type: dict
      src:
        description: File below the role's C(files/), copied as it is; an encrypted one is decrypted.
        type: str
      content:
        description: The content itself.
        type: str
      owner:
        description: Owner, by name or number.
        type: str
        default: root
      group:
        description: Group, by name or number.
        type: str
        default: root
      mode:
        description: Permissions as a quoted octal number.
        type: str
        default: '0644'
      secret:
        description: >-
          Never show the content: not in a diff, not in a log, not in the output of a validator; its words are
          blotted out of error messages.
        type: bool
        default: false
      force:
        description: With V(false) the content is written only when the file does not exist yet.
        type: bool
        default: true
      block:
        description: >-
          The content is only our part of a file that others write too. It is kept between two marked lines, at the
          end when there are none yet; all other lines stay.
        type: bool
        default: false
      validate:
        description: >-
          Command that looks at the new content before it goes live; V(%s) stands for the staged file, which
          lies beside the target with C(.ansible-staged.) before its name. No shell. In check mode a
          refusal is a warning, since what the command misses may be what the run would make.
        type: str
  links:
    description: Symbolic links, switched in one step.
    type: list
    elements: dict
    default: []
    suboptions:
      path:
        description: The link. A file there is replaced, a directory is an error.
        type: path
        required: true
      target:
        description: What it points to.
        type: str
        required: true
  absent:
    description: Paths that must not exist. A directory is removed with all in it.
    type: list
    elements: path
    default: []
  check:
    description: >-
      Commands that must succeed once the new files are in place and before any unit is touched, for
      configurations that only make sense as a whole. When one fails, the files get their former content back.
      They run when something changed, or when a unit is about to be started, restarted or reloaded. Not in
      check mode.
    type: list
    elements: str
    default: []
  units:
    description: Units in the order in which they are brought to their state; each is ready before the next.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: Name with its ending, such as V(nginx.service).
        type: str
        required: true
      state:
        description: Wanted state. Left out, the unit is only restarted or reloaded if it runs.
        type: str
        choices: [started, stopped]
      enabled:
        description: Whether it starts at boot.
        type: bool
      masked:
        description: Whether it can't be started at all.
        type: bool
      restart_on:
        description: >-
          Restart when one of these files, links or directories differs from what the unit was started with.
          When neither this nor O(units[].reload_on) is given, all O(files) of the call.
        type: list
        elements: path
      reload_on:
        description: The same for a reload. A unit that can't reload is restarted.
        type: list
        elements: path
      probe:
        description: >-
          Command that succeeds as long as the running unit is as it should be; when it fails, the unit is restarted.
          It runs in every call, also in check mode, so it must be quick and change nothing. No shell.
        type: list
        elements: str
      ready:
        description: >-
          What must answer after a start, restart or reload before the call goes on. Exactly one of
          O(units[].ready.port), O(units[].ready.url) and O(units[].ready.command).
        type: dict
        suboptions:
          port:
            description: A port that accepts connections.
            type: int
          host:
            description: Address of the port.
            type: str
            default: 127.0.0.1
          url:
            description: An http or https URL.
            type: str
          ca_file:
            description: CA certificates that the URL's certificate is checked against.
            type: path
          cert_file:
            description: Client certificate shown to the URL.
            type: path
          key_file:
            description: Its key.
            type: path
          server_name:
            description: Name in the URL's certificate and in the Host header, when it is not the host of the URL.
            type: str
          status:
            description: Status codes that count as ready. Any of 200 to 399 when left out.
            type: list
            elements: int
          command:
            description: A command that succeeds. No shell.
            type: list
            elements: str
          timeout:
            description: Seconds to wait.
            type: float
            default: 30.0
  payload:
    description: The contents on their way to the host. Set by the action plugin; not for use in playbooks.
    type: str
attributes:
  check_mode:
    description: Foretells every change, also on a host that lacks the packages, accounts or units.
    support: full
  diff_mode:
    description: Shows each file's change, except of secret ones.
    support: full
extends_documentation_fragment: []
"""

EXAMPLES = r"""
- name: Configure NGINX
  trinitycore.mcp.component:
    directories:
      - {path: /var/cache/nginx, owner: www-data, mode: '0700'}
    files:
      - {dest: /etc/nginx/nginx.conf, template: nginx.conf.j2}
      - {dest: /etc/nginx/conf.d/site.conf, template: site.conf.j2}
    absent: [/etc/nginx/sites-enabled/default]
    check: [nginx -t -q]
    units:
      - name: nginx.service
        state: started
        enabled: true
        reload_on: [/etc/nginx/nginx.conf, /etc/nginx/conf.d/site.conf]
        ready: {port: 443}

- name: Configure two instances, one after the other
  trinitycore.mcp.component:
    files:
      - {dest: /etc/app/key, content: "{{ app_key }}", mode: '0600', secret: true}
      - {dest: /etc/app/app.yml, template: app.yml.j2, validate: app check-config %s}
    units:
      - {name: app@1.service, state: started, enabled: true, ready: {url: 'http://127.0.0.1:8001/health'}}
      - {name: app@2.service, state: started, enabled: true, ready: {url: 'http://127.0.0.1:8002/health'}}
"""

RETURN = r"""
changed_files:
  description: Files and links whose content changed, and removed paths.
  returned: success
  type: list
  elements: str
started:
  description: Units that were started.
  returned: success
  type: list
  elements: str
stopped:
  description: Units that were stopped.
  returned: success
  type: list
  elements: str
restarted:
  description: Units that were restarted because a watched file changed.
  returned: success
  type: list
  elements: str
reloaded:
  description: Units that were reloaded because a watched file changed.
  returned: success
  type: list
  elements: str
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.trinitycore.mcp.plugins.module_utils.component.apply import apply, secrets_of
from ansible_collections.trinitycore.mcp.plugins.module_utils.component.errors import ComponentError
from ansible_collections.trinitycore.mcp.plugins.module_utils.component.files import redact
from ansible_collections.trinitycore.mcp.plugins.module_utils.component.payload import unpack
from ansible_collections.trinitycore.mcp.plugins.module_utils.component.report import Report
from ansible_collections.trinitycore.mcp.plugins.module_utils.component.spec import ARGUMENT_SPEC
from ansible_collections.trinitycore.mcp.plugins.module_utils.component.systemd import Systemctl
from ansible_collections.trinitycore.mcp.plugins.module_utils.component.watch import Stamps


def main() -> None:
    """Read the options, apply them, answer."""
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    report = Report(check=module.check_mode)
    contents = unpack(module.params["payload"])
    secrets = secrets_of(module.params, contents)
    try:
        apply(module.params, contents, Systemctl(), Stamps(), report)
    except (ComponentError, OSError) as error:
        module.fail_json(msg=redact(str(error), secrets), **report.result(with_diff=module._diff))  # noqa: SLF001 - no public name
    for warning in report.warnings:
        module.warn(redact(warning, secrets))
    module.exit_json(**report.result(with_diff=module._diff))  # noqa: SLF001


if __name__ == "__main__":
    main()
