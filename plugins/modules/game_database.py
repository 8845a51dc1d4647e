#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Ansible module: a game database holds a given dump."""

from __future__ import annotations

DOCUMENTATION = """
module: game_database
author: The trinitycore.mcp authors
version_added: 2.0.0
short_description: Load dumps of the game's databases
description:
  - Loads a dump of the game's C(auth), C(characters) or C(world) database into the server on this host, unless that
    same dump is loaded there already. The files are on the controller and travel only when they are needed.
  - A database that holds anything else is left alone and the task fails, unless O(replace) is set.
  - Which database a file belongs to follows from its name, for example C(TDB_full_world_335.sql). Files for the same
    database are loaded in the order of their names.
  - A file is looked through before anything is changed. Refused are one that is cut short and one that names a
    database of its own. Collations of MySQL 8 that the server doesn't know become their nearest relatives.
  - What was loaded is recorded in our own database, not in the game's.
options:
  source:
    description: A C(.sql) or C(.sql.gz) file, or a folder of them, on the controller.
    type: path
    required: true
  databases:
    description: Name of each of the game's databases.
    type: dict
    required: true
    suboptions:
      auth:
        description: Database of accounts and realms.
        type: str
        required: true
      characters:
        description: Database of characters.
        type: str
        required: true
      world:
        description: Database of the game world.
        type: str
        required: true
  replace:
    description: Whether a database that holds something else may be dropped and loaded anew.
    type: bool
    default: false
  schema:
    description: Our own database.
    type: str
    default: mcp
extends_documentation_fragment: [trinitycore.mcp.mysql_socket]
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
    description: Lists what is loaded into which database.
"""

EXAMPLES = """
- name: The world database holds this dump
  trinitycore.mcp.game_database:
    source: dumps/TDB_full_world_335.sql.gz
    databases: {auth: auth, characters: characters, world: world}
"""

RETURN = """
loaded:
  description: Databases that were loaded, or would be in check mode.
  returned: success
  type: list
  elements: str
gtid_position:
  description: Transaction position of the server afterwards, for O(trinitycore.mcp.mysql_server_state#module:wait_for).
  returned: success
  type: str
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.trinitycore.mcp.plugins.module_utils.mysql import game_data
from ansible_collections.trinitycore.mcp.plugins.module_utils.mysql.connection import SOCKET, open_local
from ansible_collections.trinitycore.mcp.plugins.module_utils.mysql.errors import DatabaseError, ServerUnavailableError
from ansible_collections.trinitycore.mcp.plugins.module_utils.mysql.flavors import detect


def main() -> None:
    """Run the module; its action plugin calls it once to ask, and once more with the files to load them."""
    module = AnsibleModule(
        argument_spec={
            "source": {"type": "path", "required": True},
            "databases": {
                "type": "dict",
                "required": True,
                "options": {name: {"type": "str", "required": True} for name in ("auth", "characters", "world")},
            },
            "replace": {"type": "bool", "default": False},
            "schema": {"type": "str", "default": "mcp"},
            **SOCKET,
            # From the action plugin: what the source holds, and where the files are on this host.
            "dumps": {"type": "list", "elements": "dict", "required": True},
            "directory": {"type": "path"},
        },
        supports_check_mode=True,
    )
    options = module.params
    dumps = [game_data.Dump.from_dict(dump) for dump in options["dumps"]]
    todo: list[game_data.Plan] = []
    position = ""
    try:
        with open_local(options["socket"]) as server:
            flavor = detect(server)
            todo = game_data.plan(server, options["schema"], dumps, options["replace"])
            if options["directory"] and not module.check_mode:
                game_data.must_be_open(server, flavor)
                for one in todo:
                    game_data.carry_out(server, flavor, options["schema"], one, options["directory"], options["socket"])
            position = flavor.state(server).gtid_position
    except ServerUnavailableError as error:
        if not module.check_mode:
            module.fail_json(msg=str(error))
        todo = [game_data.Plan(dump, drop=False) for dump in dumps]
    except DatabaseError as error:
        module.fail_json(msg=str(error))
    lines = [
        f"{one.dump.database}: {'replaced by' if one.drop else 'loaded from'} {', '.join(one.dump.files)}\n"
        for one in todo
    ]
    module.exit_json(
        changed=bool(todo),
        loaded=[one.dump.database for one in todo],
        gtid_position=position,
        diff={"before": "", "after": "".join(lines)},
    )


if __name__ == "__main__":
    main()
