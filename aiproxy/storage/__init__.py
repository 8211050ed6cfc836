"""Where configuration and credentials live: one `Store`, four places (`file`, `postgres`, `git`, `s3`), each safe for two writers.

Everything here blocks and knows no reactor: the configuration is read before one runs, and `aiproxy-config` never has one.
The daemon calls it in threads (`threaded`) and looks at files by inotify (`watch`); these two modules alone know Twisted.
A place away from this machine is a `Remote`; `mirror` makes a `Store` of it that also serves while the remote is away.
What documents mean belongs to `config` and `credentials`; what the gateway learns while it runs, to `storage.state`.
"""
