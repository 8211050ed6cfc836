"""How bytes reach an upstream and come back: HTTP over TLS and proxies. The shape of every transport is in `base`.

Transports carry and time; they never retry a call, judge an answer or know a wire format."""
