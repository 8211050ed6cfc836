"""aiproxy: a unified AI API gateway."""
