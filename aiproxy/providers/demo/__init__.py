"""The demo upstream: speaks OpenAI's API inside the process, and goes wrong on request, as `script` says.

What belongs here: what it answers (`chat`, `completions`, `embeddings`), how it misbehaves (`script`), and the transport
that plays both by the clock (`upstream`, `playback`). It knows nothing of the gateway: to the gateway it is one more
upstream behind a `Transport`. All but `upstream` and `playback` is pure.
"""

from aiproxy.providers.demo.script import MODELS, Script, is_demo, read_script
from aiproxy.providers.demo.upstream import DemoTransport

__all__ = ["MODELS", "DemoTransport", "Script", "is_demo", "read_script"]
