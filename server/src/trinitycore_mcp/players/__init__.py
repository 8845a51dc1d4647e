"""What the tools about realms, accounts and characters share."""
