"""What signs a request to an upstream. Today: API keys; every kind of login is a module of its own."""
