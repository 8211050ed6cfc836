"""What outlives the process: configuration and credentials, and what the gateway learns.

Configuration and credentials live in one `Store`, in four places (`file`, `postgres`, `git`, `s3`), each safe for two writers.
The store blocks and knows no reactor: the configuration is read before one runs, and `aiproxy-config` never has one.
The daemon calls it in threads (`threads`) and looks at files by inotify (`watch`); of the store's modules these alone know Twisted.
A place away from this machine is a `Remote`; `mirror` makes a `Store` of it that also serves while the remote is away.
What documents mean belongs to `config` and `credentials`.

`state` is what the gateway learns (usage, requests, cooldowns, counters), `bus` tells it to other processes and nodes;
`cooldowns` lets the pool's rests take part in both, `conversations` keeps its bindings, `single_flight` lets one of all do what may be done once.
"""
