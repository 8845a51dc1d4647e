"""`python -m trinitycore_mcp` is the `trinitycore-mcp` command."""

import sys

from trinitycore_mcp.cli import main

sys.exit(main())
