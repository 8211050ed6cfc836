"""What the server's listener and its supervisor's have in common."""

BACKLOG = 1024
"""Connections the kernel keeps until we accept them; Twisted's 50 refuses a burst of a thousand streams."""
