"""What edge tests stand on: the real daemon in a process of its own, and real loopback upstreams that misbehave on order."""
