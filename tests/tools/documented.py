"""Every key that the documentation of other gateways knows, each once, with a value as it might stand there.

Names and meanings are of their public documentation, read in November 2026: CLIProxyAPI's `config.example.yaml`; AIClient-2-API's
README, `configs/config.json.example` and `configs/provider_pools.json.example`; LiteLLM's pages "All settings" and "Proxy
configs"; Claude Code Router's README."""

from typing import Any

ERRORS = [{"status": 400, "match": ["too long"], "match-regexr": ["long$"], "action": "stop"}]

MODEL = {
    "name": "model-a", "alias": "a", "display-name": "A", "max-context-length": 1, "force-mapping": True, "is-compat": False,
    "thinking": {"levels": ["high"]},
}  # fmt: skip


def keyed(number: int, **more: Any) -> dict[str, Any]:
    return {
        "api-key": f"upstream-key-{number}", "weight": 5, "prefix": f"p{number}", "disable-cooling": True, "request-retry": 3,
        "request-scoped-errors": ERRORS, "base-url": f"https://{number}.example/v1", "priority": 3,
        "headers": {"X-A": "b", "X-B": "$C"}, "proxy-url": "direct", "models": [MODEL], "excluded-models": ["b-*"], **more,
    }  # fmt: skip


RULE = {
    "models": [{
        "name": "gpt-*", "protocol": "codex", "from-protocol": "responses", "headers": {"X-A": "b"}, "match": [{"a.b": "c"}],
        "not-match": [{"a.c": "d"}], "exist": ["a.d"], "not-exist": ["a.e"],
    }],
}  # fmt: skip

CLIPROXYAPI: dict[str, Any] = {
    "host": "127.0.0.1", "port": 8317, "tls": {"enable": False, "cert": "c.pem", "key": "k.pem"},
    "remote-management": {
        "allow-remote": False, "secret-key": "a-management-key", "disable-control-panel": False, "disable-auto-update-panel": False,
        "panel-github-repository": "https://github.example/panel",
    },
    "auth-dir": "~/.cli-proxy-api", "api-keys": ["client-key-0123456789"], "debug": True,
    "pprof": {"enable": False, "addr": "127.0.0.1:8316"}, "credential-concurrency": {"max-limit": 1}, "credential-in-flight": {"max-details": 1},
    "plugins": {"enabled": False, "dir": "plugins", "store-sources": [], "store-auth": [], "configs": {"example": {"enabled": True}}},
    "commercial-mode": False, "logging-to-file": True, "logs-max-total-size-mb": 50, "error-logs-max-files": 10,
    "usage-statistics-enabled": False, "redis-usage-queue-retention-seconds": 60, "proxy-url": "socks5://h:1080",
    "force-model-prefix": True, "passthrough-headers": False, "request-retry": 3, "max-retry-credentials": 2, "max-retry-interval": 30,
    "disable-cooling": False, "save-cooldown-status": False, "transient-error-cooldown-seconds": 0, "disable-claude-cloak-mode": False,
    "claude-code": {"disable-cloaking-model-list": False}, "disable-image-generation": False, "gpt-image-2-base-model": "gpt-5.4-mini",
    "video-result-auth-cache-ttl": "3h", "auth-auto-refresh-workers": 16,
    "quota-exceeded": {"switch-project": True, "switch-preview-model": True, "antigravity-credits": True},
    "routing": {"strategy": "round-robin", "session-affinity": False, "session-affinity-ttl": "1h", "session-affinity-subagents": True},
    "codex": {"identity-confuse": False, "stream-bootstrap-buffering": False}, "antigravity": {"sensitive-words": ["API"]},
    "xai": {"inject-x-search": False}, "ws-auth": True, "nonstream-keepalive-interval": 0,
    "streaming": {"keepalive-seconds": 15, "bootstrap-retries": 1},
    "antigravity-signature-cache-enabled": True, "antigravity-signature-bypass-strict": False,
    "gemini-api-key": [keyed(1)], "interactions-api-key": [keyed(2)], "codex-api-key": [keyed(3, **{"alpha-search": False})],
    "xai-api-key": [keyed(4, websockets=True)],
    "claude-api-key": [keyed(5, **{
        "rebuild-mid-system-message": False, "cloak": {"mode": "auto"}, "fingerprint-profile": "x", "experimental-cch-signing": False,
    })],
    "claude-header-defaults": {"user-agent": "x"}, "codex-header-defaults": {"user-agent": "x", "beta-features": "y"},
    "openai-compatibility": [{
        **{name: value for name, value in keyed(6).items() if name not in ("api-key", "proxy-url", "weight")},
        "name": "openrouter", "disabled": False, "support-prompt-cache-key": False,
        "api-key-entries": [{"api-key": "upstream-key-6", "weight": 5, "proxy-url": "direct"}],
        "models": [{**MODEL, "image": False, "input-modalities": ["text"], "output-modalities": ["text"]}],
    }],
    "vertex-api-key": [keyed(7)],
    "oauth-model-alias": {"codex": [{"name": "gpt-5", "alias": "g5", "display-name": "G", "fork": True, "force-mapping": True}]},
    "oauth-excluded-models": {"codex": ["gpt-5-mini"]}, "oauth-request-scoped-errors": {"codex": ERRORS},
    "payload": {
        "default": [{**RULE, "params": {"a.b": 1}}], "default-raw": [{**RULE, "params": {"a.b": "{}"}}],
        "override": [{**RULE, "params": {"a.b": 1}}], "override-raw": [{**RULE, "params": {"a.b": "{}"}}],
        "filter": [{**RULE, "params": ["a.b"]}],
    },
}  # fmt: skip

AICLIENT2API: dict[str, Any] = {
    "REQUIRED_API_KEY": "client-key-0123456789", "SERVER_PORT": 3000, "HOST": "127.0.0.1", "MODEL_PROVIDER": "openai-custom",
    "SYSTEM_PROMPT_FILE_PATH": "configs/input_system_prompt.txt", "SYSTEM_PROMPT_MODE": "append",
    "SYSTEM_PROMPT_REPLACEMENTS": [{"old": "a", "new": "b"}], "PROMPT_LOG_MODE": "none", "PROMPT_LOG_BASE_NAME": "prompt_log",
    "REQUEST_MAX_RETRIES": 3, "REQUEST_BASE_DELAY": 1000, "CREDENTIAL_SWITCH_MAX_RETRIES": 5, "FORCE_MAX_TOKENS": 0,
    "RATE_LIMIT_COOLDOWN_ENABLED": False, "RATE_LIMIT_COOLDOWN_MS": 30000, "RATE_LIMIT_COOLDOWN_JITTER_MS": 5000,
    "RATE_LIMIT_COOLDOWN_MAX_MS": 300000, "CRON_NEAR_MINUTES": 15, "CRON_REFRESH_TOKEN": False, "LOGIN_EXPIRY": 3600,
    "LOGIN_MAX_ATTEMPTS": 5, "LOGIN_LOCKOUT_DURATION": 1800, "LOGIN_MIN_INTERVAL": 5000, "TRUST_PROXY": False,
    "TRUSTED_PROXY_IPS": ["127.0.0.1"], "PROVIDER_POOLS_FILE_PATH": "configs/provider_pools.json",
    "CUSTOM_MODELS_FILE_PATH": "configs/custom_models.json", "MAX_ERROR_COUNT": 10,
    "SCHEDULED_HEALTH_CHECK": {"enabled": True, "interval": 600000, "startupRun": True, "providerTypes": ["claude-custom"]},
    "providerFallbackChain": {"openai-custom": ["claude-custom"]},
    "modelFallbackMapping": {"gpt-5": {"targetProviderType": "claude-custom", "targetModel": "claude-sonnet-4-5"}},
    "PROXY_URL": "http://127.0.0.1:7890", "PROXY_ENABLED_PROVIDERS": ["openai-custom"],
    "USE_SYSTEM_PROXY_OPENAI": False, "USE_SYSTEM_PROXY_CLAUDE": False, "USE_SYSTEM_PROXY_KIRO": False,
    "USE_SYSTEM_PROXY_QWEN": False, "USE_SYSTEM_PROXY_FORWARD": False, "LOG_ENABLED": True, "LOG_OUTPUT_MODE": "console",
    "LOG_LEVEL": "info", "LOG_DIR": "logs", "LOG_INCLUDE_REQUEST_ID": True, "LOG_INCLUDE_TIMESTAMP": True,
    "LOG_MAX_FILE_SIZE": 10485760, "LOG_MAX_FILES": 10, "TLS_SIDECAR_ENABLED": False, "TLS_SIDECAR_ENABLED_PROVIDERS": [],
    "TLS_SIDECAR_PORT": 9090, "TLS_SIDECAR_BINARY_PATH": "x", "TLS_SIDECAR_PROXY_URL": "x", "UI_ENABLED": True, "WARMUP_TARGET": 0,
    "REFRESH_CONCURRENCY_GLOBAL": 2, "REFRESH_CONCURRENCY_PER_PROVIDER": 1, "REFRESH_BUFFER_DELAY": 5000,
    "REFRESH_TASK_TIMEOUT_MS": 60000, "HEALTH_ALERT_WEBHOOK_URL": "http://h", "KIRO_REQUEST_MIN_INTERVAL_MS": 0,
    "MODEL_USAGE_STATS_PERSIST_INTERVAL": 5000, "OPENAI_API_KEY": "k", "OPENAI_BASE_URL": "http://h", "CLAUDE_API_KEY": "k",
    "CLAUDE_BASE_URL": "http://h", "PROJECT_ID": "p", "GEMINI_OAUTH_CREDS_FILE_PATH": "f", "KIRO_OAUTH_CREDS_BASE64": "b",
    "GEMINI_OAUTH_CREDS_BASE64": "b", "KIRO_OAUTH_CREDS_DIR_PATH": "d", "KIRO_REFRESH_URL": "http://h",
    "KIRO_REFRESH_IDC_URL": "http://h", "QWEN_OAUTH_BASE_URL": "http://h", "GROK_COOKIE_TOKEN": "t", "GROK_CF_CLEARANCE": "c",
    "GROK_USER_AGENT": "u", "FORWARD_API_KEY": "k", "FORWARD_BASE_URL": "http://h", "FORWARD_HEADER_NAME": "h",
    "FORWARD_HEADER_VALUE_PREFIX": "p",
}  # fmt: skip

RECORD = {
    "uuid": "u", "isHealthy": True, "isDisabled": False, "lastUsed": "2026-01-01T00:00:00Z", "usageCount": 4, "errorCount": 1,
    "lastErrorTime": "2026-01-01T00:00:00Z", "lastErrorMessage": "m", "lastHealthCheckTime": "2026-01-01T00:00:00Z",
    "lastHealthCheckModel": "m", "needsRefresh": False, "refreshCount": 0, "lastRefreshTime": 1, "scheduledRecoveryTime": 1,
    "_lastSelectionSeq": 1, "checkHealth": True, "queueLimit": 3, "priority": 1, "concurrencyLimit": 3, "checkModelName": "m",
    "notSupportedModels": ["n"],
}  # fmt: skip

AICLIENT2API_POOLS: dict[str, Any] = {
    "openai-custom": [
        {**RECORD, "customName": "one", "OPENAI_API_KEY": "upstream-key-1", "OPENAI_BASE_URL": "https://1.example/v1", "supportedModels": ["m"]},
        {**RECORD, "customName": "two", "OPENAI_API_KEY": "upstream-key-2", "OPENAI_BASE_URL": "https://2.example/v1", "isDisabled": True},
    ],
    "openaiResponses-custom": [{**RECORD, "customName": "three", "OPENAI_API_KEY": "upstream-key-3", "OPENAI_BASE_URL": "https://3.example/v1"}],
    "claude-custom-eu": [{**RECORD, "customName": "four", "CLAUDE_API_KEY": "upstream-key-4", "CLAUDE_BASE_URL": "https://4.example"}],
    "openai-novita": [{**RECORD, "customName": "five", "NOVITA_API_KEY": "upstream-key-5", "NOVITA_BASE_URL": "https://5.example/v1"}],
    "gemini-cli-oauth": [{**RECORD, "customName": "six", "GEMINI_OAUTH_CREDS_FILE_PATH": "configs/gemini.json", "PROJECT_ID": "p"}],
    "gemini-antigravity": [{**RECORD, "ANTIGRAVITY_OAUTH_CREDS_FILE_PATH": "configs/gone.json", "PROJECT_ID": "p"}],
    "claude-kiro-oauth": [{**RECORD, "KIRO_OAUTH_CREDS_FILE_PATH": "configs/gone.json"}],
    "openai-codex-oauth": [{**RECORD, "CODEX_OAUTH_CREDS_FILE_PATH": "configs/gone.json", "CODEX_EMAIL": "me@example.org"}],
    "openai-qwen-oauth": [{**RECORD, "QWEN_OAUTH_CREDS_FILE_PATH": "configs/gone.json"}],
    "openai-iflow": [{**RECORD, "IFLOW_TOKEN_FILE_PATH": "configs/gone.json", "IFLOW_BASE_URL": "https://apis.iflow.example/v1"}],
    "grok-web": [{**RECORD, "GROK_COOKIE_TOKEN": "t", "GROK_CF_CLEARANCE": "c", "GROK_USER_AGENT": "u"}],
    "forward-api": [{**RECORD, "FORWARD_API_KEY": "k", "FORWARD_BASE_URL": "http://h", "FORWARD_HEADER_NAME": "h"}],
}  # fmt: skip

AICLIENT2API_MODELS: list[Any] = [
    {"id": "fast", "name": "Fast", "alias": "quick", "provider": ["openai-custom"], "actualProvider": "openai-custom", "actualModel": "m",
     "contextLength": 1, "maxTokens": 2, "temperature": 0.5, "topP": 0.5, "description": "d"},
    {"id": "other", "provider": "claude-custom", "actualModel": "claude-opus"},
    {"id": "nameless"},
    {"id": "homeless", "actualModel": "m"},
]  # fmt: skip


def deployment(model: str, **params: Any) -> dict[str, Any]:
    return {"model_name": f"as-{model.replace('/', '-')}", "litellm_params": {"model": model, **params}}


LITELLM: dict[str, Any] = {
    "environment_variables": {"REDIS_HOST": "localhost"},
    "model_list": [
        {**deployment(
            "openai/gpt-4o", api_base="https://1.example/v1", api_key="os.environ/OPENAI_KEY", rpm=6, tpm=10, weight=2, order=1,
            max_parallel_requests=4, extra_headers={"X-A": "b"}, organization="o", api_version="v", azure_ad_token="t", seed=12,
            max_tokens=20, temperature=0.2, timeout=3, stream_timeout=3, max_retries=2, litellm_credential_name="c", aws_region_name="r",
        ), "model_info": {"id": "i", "mode": "chat", "input_cost_per_token": 0, "max_tokens": 1, "base_model": "b", "version": 2}},
        deployment("azure/gpt-4o-eu", api_base="https://x", api_key="os.environ/AZURE", rpm=6),
        deployment("anthropic/claude-a"), deployment("gemini/gemini-a"), deployment("ollama/llama3", api_base="http://localhost:11434"),
        deployment("groq/*"), deployment("hosted_vllm/v", base_url="http://localhost:8000/v1"), deployment("my-model", custom_llm_provider="openai"),
    ],
    "litellm_settings": {
        **{key: ["otel"] for key in ("success_callback", "failure_callback", "callbacks", "service_callbacks")},
        **dict.fromkeys((
            "turn_off_message_logging", "redact_user_api_key_info", "force_ipv4", "json_logs", "cache", "modify_params",
            "enable_preview_features", "set_verbose", "disable_end_user_cost_tracking", "disable_end_user_cost_tracking_prometheus_only",
            "disable_add_transform_inline_image_block", "use_chat_completions_url_for_anthropic_messages",
            "disable_hf_tokenizer_download", "enable_json_schema_validation", "enable_key_alias_format_validation",
            "disable_copilot_system_to_assistant", "drop_params",
        ), True),
        "langfuse_default_tags": ["t"], "request_timeout": 10, "num_retries": 2, "default_fallbacks": ["as-anthropic-claude-a"], "allowed_fails": 3,
        "content_policy_fallbacks": [{"as-openai-gpt-4o": ["as-anthropic-claude-a"]}], "context_window_fallbacks": [{"as-openai-gpt-4o": ["as-anthropic-claude-a"]}],
        "fallbacks": [{"as-gemini-gemini-a": ["as-anthropic-claude-a"]}], "mcp_aliases": {"a": "b"}, "cache_params": {"type": "redis", "host": "h"},
        "key_generation_settings": {"a": 1},
    },
    "callback_settings": {"otel": {"message_logging": True}},
    "credential_list": [{"credential_name": "c", "credential_values": {"api_key": "k"}, "credential_info": {"description": "d"}}],
    "general_settings": {
        **dict.fromkeys((
            "store_prompts_in_spend_logs", "forward_client_headers_to_llm_api", "disable_spend_logs", "disable_spend_updates",
            "disable_master_key_return", "disable_retry_on_max_parallel_request_limit_error", "disable_reset_budget",
            "disable_adding_master_key_hash_to_db", "disable_responses_id_security", "enable_jwt_auth", "enforce_user_param",
            "reject_clientside_metadata_tags", "allow_requests_on_db_unavailable", "infer_model_from_keys", "background_health_checks",
            "use_client_credentials_pass_through_routes", "health_check_details", "enable_oauth2_auth", "store_model_in_db",
            "default_team_disabled", "allow_user_auth", "disable_prisma_schema_update", "allow_client_side_credentials",
            "use_azure_key_vault", "use_google_kms", "enable_oauth2_proxy_auth", "forward_openai_org_id",
        ), True),
        **dict.fromkeys((
            "completion_model", "key_management_system", "maximum_spend_logs_retention_period", "maximum_spend_logs_retention_interval",
            "user_mcp_management_mode", "custom_auth", "use_x_forwarded_for", "image_generation_model", "custom_key_generate",
            "embedding_model", "litellm_key_header_name", "moderation_model", "custom_sso", "spend_report_frequency", "ui_access_mode",
            "litellm_license",
        ), "x"),
        **dict.fromkeys((
            "database_connection_pool_limit", "database_connection_timeout", "max_parallel_requests", "global_max_parallel_requests",
            "health_check_interval", "alerting_threshold", "max_request_size_mb", "max_response_size_mb",
            "proxy_budget_rescheduler_min_time", "proxy_budget_rescheduler_max_time", "proxy_batch_write_at",
            "proxy_batch_polling_interval", "user_api_key_cache_ttl",
        ), 60),
        **{key: ["x"] for key in ("allowed_routes", "alerting", "public_routes", "alert_types", "enforced_params", "supported_db_objects", "allowed_ips", "admin_only_routes")},
        **{key: {"a": "b"} for key in ("alerting_args", "alert_to_webhook_url", "litellm_jwtauth", "oauth2_config_mappings")},
        **{key: [{"a": "b"}] for key in ("service_account_settings", "key_management_settings", "pass_through_endpoints")},
        "master_key": "sk-secret-0123456789", "database_url": "postgresql://a:secretsecret@b/c",
    },
    "router_settings": {
        "routing_strategy": "least-busy", "redis_host": "localhost", "redis_password": "secretsecret", "redis_port": 6379, "redis_db": 1,
        "enable_pre_call_checks": True, "allowed_fails": 3, "cooldown_time": 30, "disable_cooldowns": True, "enable_tag_filtering": True,
        "tag_filtering_match_any": True, "retry_policy": {"TimeoutErrorRetries": 3}, "allowed_fails_policy": {"TimeoutErrorAllowedFails": 3},
        "content_policy_fallbacks": [{"a": ["b"]}], "fallbacks": [{"as-anthropic-claude-a": ["as-gemini-gemini-a"]}],
        "default_max_parallel_requests": 3, "default_priority": 1, "polling_interval": 0.1, "max_fallbacks": 5,
        "default_litellm_params": {"temperature": 1}, "timeout": 30, "stream_timeout": 30, "debug_level": "INFO", "client_ttl": 3600,
        "cache_kwargs": {"a": 1}, "routing_strategy_args": {"ttl": 1}, "model_group_alias": {"four": "as-openai-gpt-4o"}, "num_retries": 3,
        "default_fallbacks": ["as-anthropic-claude-a"], "caching_groups": [["a", "b"]], "alerting_config": {"a": 1}, "assistants_config": {"a": 1},
        "set_verbose": False, "retry_after": 1, "provider_budget_config": {"openai": {"budget_limit": 1}}, "model_group_retry_policy": {"a": {}},
        "redis_url": "redis://h", "cache_responses": False, "router_general_settings": {"async_only_mode": True},
        "optional_pre_call_checks": ["prompt_caching"], "deployment_affinity_ttl_seconds": 3600, "ignore_invalid_deployments": True,
        "search_tools": [{"search_tool_name": "a"}], "guardrail_list": [{"guardrail_name": "a"}], "enable_pre_call_check": True,
        "context_window_fallbacks": [{"as-gemini-gemini-a": ["as-anthropic-claude-a"]}],
    },
}  # fmt: skip

CLAUDE_CODE_ROUTER: dict[str, Any] = {
    "APIKEY": "client-key-0123456789", "HOST": "0.0.0.0", "PORT": 3456, "PROXY_URL": "http://127.0.0.1:7890", "LOG": True, "LOG_LEVEL": "trace",
    "API_TIMEOUT_MS": 600000, "NON_INTERACTIVE_MODE": False, "log": True, "OPENAI_API_KEY": "k",
    "OPENAI_BASE_URL": "https://api.deepseek.com", "OPENAI_MODEL": "deepseek-chat", "CUSTOM_ROUTER_PATH": "$HOME/router.js",
    "transformers": [{"path": "$HOME/a.js", "options": {"project": "x"}}],
    "Providers": [
        {"name": "openrouter", "api_base_url": "https://openrouter.ai/api/v1/chat/completions", "api_key": "$OPENROUTER_KEY",
         "models": ["google/gemini-2.5-pro"], "transformer": {"use": ["openrouter"], "a": {"use": [["maxtoken", {"max_tokens": 1}]]}}},
        {"name": "gemini", "api_base_url": "https://generativelanguage.googleapis.com/v1beta/models/", "api_key": "upstream-key-1", "models": ["gemini-2.5-flash"]},
        {"name": "anthropic", "api_base_url": "https://api.anthropic.com/v1/messages", "api_key": "${ANTHROPIC}", "models": ["claude-opus"]},
        {"name": "local", "api_base_url": "http://localhost:11434/v1/chat/completions", "api_key": "ollama", "models": ["qwen"]},
    ],
    "Router": {
        "default": "openrouter,google/gemini-2.5-pro", "background": "local,qwen", "think": "anthropic,claude-opus",
        "longContext": "gemini,gemini-2.5-flash", "longContextThreshold": 60000, "webSearch": "gemini,gemini-2.5-flash",
    },
}  # fmt: skip
