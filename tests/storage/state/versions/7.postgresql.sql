SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET transaction_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;
CREATE SCHEMA aiproxy_state;
SET default_tablespace = '';
SET default_table_access_method = heap;
CREATE TABLE aiproxy_state.affinity (
    session text NOT NULL,
    account text NOT NULL,
    until double precision NOT NULL,
    changed double precision NOT NULL,
    model text DEFAULT ''::text NOT NULL
);
CREATE TABLE aiproxy_state.client_keys (
    digest text NOT NULL,
    id text NOT NULL,
    name text NOT NULL,
    ending text NOT NULL,
    settings text NOT NULL,
    created double precision NOT NULL,
    until double precision,
    changed double precision NOT NULL
);
CREATE TABLE aiproxy_state.configurations (
    id bigint NOT NULL,
    place text NOT NULL,
    at double precision NOT NULL,
    author text NOT NULL,
    reason text NOT NULL,
    version text NOT NULL,
    body text NOT NULL
);
ALTER TABLE aiproxy_state.configurations ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME aiproxy_state.configurations_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE aiproxy_state.cooldowns (
    account text NOT NULL,
    model text NOT NULL,
    name text NOT NULL,
    reason text NOT NULL,
    rest double precision NOT NULL,
    since double precision NOT NULL,
    until double precision NOT NULL,
    changed double precision NOT NULL
);
CREATE TABLE aiproxy_state.counters (
    client text NOT NULL,
    meter text NOT NULL,
    period text NOT NULL,
    amount bigint NOT NULL,
    changed double precision NOT NULL
);
CREATE TABLE aiproxy_state.locks (
    name text NOT NULL,
    holder text NOT NULL,
    fence bigint NOT NULL,
    until double precision NOT NULL
);
CREATE TABLE aiproxy_state.quotas (
    account text NOT NULL,
    period text NOT NULL,
    allowed double precision,
    remaining double precision,
    resets_at double precision,
    changed double precision NOT NULL
);
CREATE TABLE aiproxy_state.requests (
    id bigint NOT NULL,
    at double precision NOT NULL,
    node text NOT NULL,
    request_id text NOT NULL,
    client text NOT NULL,
    protocol text NOT NULL,
    operation text NOT NULL,
    model text NOT NULL,
    streamed bigint NOT NULL,
    outcome text NOT NULL,
    error text NOT NULL,
    seconds double precision NOT NULL,
    first_byte double precision,
    attempts bigint NOT NULL,
    decision text NOT NULL,
    remarks text DEFAULT ''::text NOT NULL
);
ALTER TABLE aiproxy_state.requests ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME aiproxy_state.requests_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE aiproxy_state.slices (
    client text NOT NULL,
    meter text NOT NULL,
    period text NOT NULL,
    process text NOT NULL,
    amount bigint NOT NULL,
    until double precision NOT NULL
);
CREATE TABLE aiproxy_state.usage (
    id bigint NOT NULL,
    at double precision NOT NULL,
    node text NOT NULL,
    request_id text NOT NULL,
    attempt bigint NOT NULL,
    client text NOT NULL,
    protocol text NOT NULL,
    operation text NOT NULL,
    account text NOT NULL,
    provider text NOT NULL,
    model text NOT NULL,
    seconds double precision NOT NULL,
    outcome text NOT NULL,
    error text NOT NULL,
    upstream_status bigint,
    input_uncached bigint,
    cache_read bigint,
    cache_write bigint,
    cache_write_1h bigint,
    audio_in bigint,
    tool_prompt bigint,
    output_visible bigint,
    reasoning bigint,
    audio_out bigint,
    server_tools text NOT NULL,
    asked text DEFAULT ''::text NOT NULL,
    session text DEFAULT ''::text NOT NULL,
    first_byte double precision,
    cost double precision,
    prices text DEFAULT ''::text NOT NULL,
    estimated bigint DEFAULT 0 NOT NULL,
    raw text DEFAULT ''::text NOT NULL,
    image_in bigint,
    image_out bigint,
    tags text DEFAULT ''::text NOT NULL,
    before double precision,
    streamed bigint DEFAULT 0 NOT NULL,
    chosen text DEFAULT ''::text NOT NULL,
    decision text DEFAULT ''::text NOT NULL,
    remarks text DEFAULT ''::text NOT NULL
);
ALTER TABLE aiproxy_state.usage ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME aiproxy_state.usage_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE aiproxy_state.version (
    version bigint NOT NULL
);
CREATE TABLE aiproxy_state.writers (
    writer text NOT NULL,
    batch bigint NOT NULL,
    changed double precision NOT NULL
);
INSERT INTO aiproxy_state.affinity VALUES ('session-1', 'digest-1', 5000, 1000, '');
INSERT INTO aiproxy_state.cooldowns VALUES ('digest-1', 'gpt-5.4', 'openai-1', 'rate_limit', 2, 1000, 1060, 1000);
INSERT INTO aiproxy_state.counters VALUES ('team-a', 'tokens', '2026-11', 7, 1000);
INSERT INTO aiproxy_state.quotas VALUES ('digest-1', '5h', 100, 40, 2000, 1000);
INSERT INTO aiproxy_state.requests OVERRIDING SYSTEM VALUE VALUES (1, 1000, 'node-a', 'req_1', 'team-a', 'openai-chat', 'chat', 'mini', 1, 'complete', '', 0.5, 0.2, 1, '{"steps": []}', '');
INSERT INTO aiproxy_state.usage OVERRIDING SYSTEM VALUE VALUES (1, 1000, 'node-a', 'req_1', 1, 'team-a', 'openai-chat', 'chat', 'openai-1', 'openai', 'gpt-5.4', 0.25, 'complete', '', 200, 12, NULL, NULL, NULL, NULL, NULL, 34, NULL, NULL, '{"web_search": 1}', '', '', NULL, NULL, '', 0, '', NULL, NULL, '', NULL, 0, '', '', '');
INSERT INTO aiproxy_state.usage OVERRIDING SYSTEM VALUE VALUES (2, 1000, 'node-a', 'req_2', 2, 'team-a', 'openai-chat', 'chat', 'openai-1', 'openai', 'gpt-5.4', 0.25, 'complete', '', 200, 12, NULL, NULL, NULL, NULL, NULL, 34, NULL, NULL, '{"web_search": 1}', '', '', NULL, NULL, '', 0, '', NULL, NULL, '', NULL, 0, '', '', '');
INSERT INTO aiproxy_state.version VALUES (7);
SELECT pg_catalog.setval('aiproxy_state.configurations_id_seq', 1, false);
SELECT pg_catalog.setval('aiproxy_state.requests_id_seq', 1, true);
SELECT pg_catalog.setval('aiproxy_state.usage_id_seq', 2, true);
ALTER TABLE ONLY aiproxy_state.affinity
    ADD CONSTRAINT affinity_pkey PRIMARY KEY (session);
ALTER TABLE ONLY aiproxy_state.client_keys
    ADD CONSTRAINT client_keys_pkey PRIMARY KEY (digest);
ALTER TABLE ONLY aiproxy_state.configurations
    ADD CONSTRAINT configurations_pkey PRIMARY KEY (id);
ALTER TABLE ONLY aiproxy_state.cooldowns
    ADD CONSTRAINT cooldowns_pkey PRIMARY KEY (account, model);
ALTER TABLE ONLY aiproxy_state.counters
    ADD CONSTRAINT counters_pkey PRIMARY KEY (client, meter, period);
ALTER TABLE ONLY aiproxy_state.locks
    ADD CONSTRAINT locks_pkey PRIMARY KEY (name);
ALTER TABLE ONLY aiproxy_state.quotas
    ADD CONSTRAINT quotas_pkey PRIMARY KEY (account, period);
ALTER TABLE ONLY aiproxy_state.requests
    ADD CONSTRAINT requests_pkey PRIMARY KEY (id);
ALTER TABLE ONLY aiproxy_state.slices
    ADD CONSTRAINT slices_pkey PRIMARY KEY (client, meter, period, process);
ALTER TABLE ONLY aiproxy_state.usage
    ADD CONSTRAINT usage_pkey PRIMARY KEY (id);
ALTER TABLE ONLY aiproxy_state.writers
    ADD CONSTRAINT writers_pkey PRIMARY KEY (writer);
CREATE INDEX requests_at ON aiproxy_state.requests USING btree (at);
CREATE INDEX requests_request_id ON aiproxy_state.requests USING btree (request_id);
CREATE INDEX usage_at ON aiproxy_state.usage USING btree (at);
CREATE INDEX usage_request_id ON aiproxy_state.usage USING btree (request_id);
