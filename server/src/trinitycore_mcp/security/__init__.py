"""What stands between this server's data and those who should not have it, as it is now."""
