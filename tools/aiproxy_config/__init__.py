"""The command `aiproxy-config`: synchronous, and never imports the reactor."""
