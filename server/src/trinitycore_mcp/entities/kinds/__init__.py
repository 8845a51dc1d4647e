"""The entities there are, one module for each group of kinds."""
