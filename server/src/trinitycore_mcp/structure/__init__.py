"""How the game's databases are built: their tables, columns, keys, and what refers to what."""
