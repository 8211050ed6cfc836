"""Values only: what a call, an answer, a stream event, usage and an error are, in no vendor's words.

No wire format, no I/O, no clock. Codecs translate to and from these; everything above speaks them."""
