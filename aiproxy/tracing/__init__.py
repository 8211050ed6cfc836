"""What calls were, told to an OpenTelemetry collector: `spans` makes them of a call's record (pure), `otlp` encodes them, `export`
sends them in batches. Whether a call is recorded, and what upstreams are told of it, is `usage.trace`'s affair."""

from aiproxy.tracing.export import Export

__all__ = ["Export"]
