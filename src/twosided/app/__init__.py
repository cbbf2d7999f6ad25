"""The command line, its configuration, and the demo."""
