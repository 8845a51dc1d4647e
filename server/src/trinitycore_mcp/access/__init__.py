"""Who calls, what they may do and how often, and the record of what they did with it."""
