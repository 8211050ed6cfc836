"""The APIs our clients speak: a thin Klein app each. A route reads the body, calls the gateway, writes the answer."""
