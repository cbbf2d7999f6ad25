"""A market maker's workbench."""
