"""Jobs that one instance does for the fleet: when they run, and how a leader of the past is kept from writing."""

from trinitycore_mcp.jobs.fencing import Deposed, FencedTransaction, FencedWriter, fenced
from trinitycore_mcp.jobs.schedule import Job, Schedule

__all__ = ["Deposed", "FencedTransaction", "FencedWriter", "Job", "Schedule", "fenced"]
