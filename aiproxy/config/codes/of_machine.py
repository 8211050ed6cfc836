"""Codes about what the gateway needs of its machine: a place to listen, a store, a state."""

from collections.abc import Mapping

from aiproxy.config.codes.explanation import Explanation

OF_MACHINE: Mapping[str, Explanation] = {
    # Listening
    "tls-incomplete": Explanation(
        "TLS needs both a certificate and its key.",
        "tls: {enable: true}",
        "# cert.pem and key.pem are good\ntls: {enable: true, cert: cert.pem, key: key.pem}",
    ),
    "tls-unusable": Explanation(
        "The certificate or the key is not PEM, is encrypted, or the two don't belong together.",
        "# cert.pem holds no certificate\ntls: {enable: true, cert: cert.pem, key: key.pem}",
        "# cert.pem and key.pem are good\ntls: {enable: true, cert: cert.pem, key: key.pem}",
    ),
    "tls-expired": Explanation(
        "The certificate is not valid today: clients will refuse it.",
        "# cert.pem ended yesterday\ntls: {enable: true, cert: cert.pem, key: key.pem}",
        "# cert.pem and key.pem are good\ntls: {enable: true, cert: cert.pem, key: key.pem}",
    ),
    "tls-expiring": Explanation(
        "The certificate ends within 14 days. A renewed one is picked up without a restart.",
        "# cert.pem ends tomorrow\ntls: {enable: true, cert: cert.pem, key: key.pem}",
        "# cert.pem and key.pem are good\ntls: {enable: true, cert: cert.pem, key: key.pem}",
    ),
    "bad-host": Explanation(
        "Nothing can listen at `host` on this machine: it is no address, another machine's, or a name that has none here. A "
        "container listens on `0.0.0.0`, whatever address leads to it. For a name, the name server is asked, as when "
        "the gateway starts.",
        'host: 192.0.2.1\napi-keys: ["${TEAM_KEY}"]',
        'host: 127.0.0.1\napi-keys: ["${TEAM_KEY}"]',
    ),
    "privileged-port": Explanation(
        "Only root may listen on so low a port, unless the service is given CAP_NET_BIND_SERVICE.",
        "# not as root\nport: 443",
        "# not as root\nport: 8443",
    ),
    # The store
    "incomplete-store": Explanation(
        "A store of this type lacks something that it can't be reached without.",
        "store: {type: s3}",
        'store: {type: s3, s3: {endpoint: s3.example, bucket: gateway, access-key: gateway, secret-key: "${S3_KEY}"}}',
    ),
    "bad-store-address": Explanation(
        "The address of a store is not one, or holds a login that belongs into keys of its own.",
        "store: {git: {url: 'https://me:secret@git.example/gateway.git'}}",
        "store: {git: {url: 'https://git.example/gateway.git', username: me, token: \"${GIT_TOKEN}\"}}",
    ),
    # State
    "bad-tracing": Explanation(
        "Traces are posted to a collector at `http://HOST:PORT` or `https://…`, by OTLP over HTTP (usually port 4318); what "
        "encodes them comes with `pip install 'aiproxy[otel]'`. A login stands in `tracing.headers`.",
        "tracing: {otlp-endpoint: 127.0.0.1:4317}",
        'tracing: {otlp-endpoint: "http://127.0.0.1:4318"}',
    ),
    "bad-state": Explanation(
        "State is kept in a SQLite file (a name, also of a file that doesn't exist yet), in PostgreSQL (a `postgresql://` "
        "URL; needs `pip install 'aiproxy[postgres]'`), or in `memory`.",
        "state: mysql://localhost/aiproxy",
        "state: /var/lib/aiproxy/state.db",
    ),
}
