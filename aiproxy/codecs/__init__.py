"""Wire formats ↔ neutral, pure. One package a format, `base` for their contract."""
