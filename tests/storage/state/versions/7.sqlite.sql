PRAGMA application_id = 1634300024;
PRAGMA user_version = 7;
BEGIN TRANSACTION;
CREATE TABLE affinity (session TEXT NOT NULL PRIMARY KEY, account TEXT NOT NULL,
        until DOUBLE PRECISION NOT NULL, changed DOUBLE PRECISION NOT NULL, model TEXT NOT NULL DEFAULT '');
INSERT INTO "affinity" VALUES('session-1','digest-1',5000.0,1000.0,'');
CREATE TABLE client_keys (digest TEXT NOT NULL PRIMARY KEY, id TEXT NOT NULL, name TEXT NOT NULL,
        ending TEXT NOT NULL, settings TEXT NOT NULL, created DOUBLE PRECISION NOT NULL, until DOUBLE PRECISION,
        changed DOUBLE PRECISION NOT NULL);
CREATE TABLE configurations (id INTEGER PRIMARY KEY AUTOINCREMENT, place TEXT NOT NULL, at DOUBLE PRECISION NOT NULL, author TEXT NOT NULL,
        reason TEXT NOT NULL, version TEXT NOT NULL, body TEXT NOT NULL);
CREATE TABLE cooldowns (account TEXT NOT NULL, model TEXT NOT NULL, name TEXT NOT NULL, reason TEXT NOT NULL,
        rest DOUBLE PRECISION NOT NULL, since DOUBLE PRECISION NOT NULL, until DOUBLE PRECISION NOT NULL,
        changed DOUBLE PRECISION NOT NULL, PRIMARY KEY (account, model));
INSERT INTO "cooldowns" VALUES('digest-1','gpt-5.4','openai-1','rate_limit',2.0,1000.0,1060.0,1000.0);
CREATE TABLE counters (client TEXT NOT NULL, meter TEXT NOT NULL, period TEXT NOT NULL, amount BIGINT NOT NULL,
        changed DOUBLE PRECISION NOT NULL, PRIMARY KEY (client, meter, period));
INSERT INTO "counters" VALUES('team-a','tokens','2026-11',7,1000.0);
CREATE TABLE locks (name TEXT NOT NULL PRIMARY KEY, holder TEXT NOT NULL, fence BIGINT NOT NULL,
        until DOUBLE PRECISION NOT NULL);
CREATE TABLE quotas (account TEXT NOT NULL, period TEXT NOT NULL, allowed DOUBLE PRECISION,
        remaining DOUBLE PRECISION, resets_at DOUBLE PRECISION, changed DOUBLE PRECISION NOT NULL,
        PRIMARY KEY (account, period));
INSERT INTO "quotas" VALUES('digest-1','5h',100.0,40.0,2000.0,1000.0);
CREATE TABLE requests (id INTEGER PRIMARY KEY AUTOINCREMENT, at DOUBLE PRECISION NOT NULL, node TEXT NOT NULL, request_id TEXT NOT NULL,
        client TEXT NOT NULL, protocol TEXT NOT NULL, operation TEXT NOT NULL, model TEXT NOT NULL,
        streamed BIGINT NOT NULL, outcome TEXT NOT NULL, error TEXT NOT NULL, seconds DOUBLE PRECISION NOT NULL,
        first_byte DOUBLE PRECISION, attempts BIGINT NOT NULL, decision TEXT NOT NULL, remarks TEXT NOT NULL DEFAULT '');
INSERT INTO "requests" VALUES(1,1000.0,'node-a','req_1','team-a','openai-chat','chat','mini',1,'complete','',0.5,0.2,1,'{"steps": []}','');
CREATE TABLE slices (client TEXT NOT NULL, meter TEXT NOT NULL, period TEXT NOT NULL, process TEXT NOT NULL,
        amount BIGINT NOT NULL, until DOUBLE PRECISION NOT NULL, PRIMARY KEY (client, meter, period, process));
CREATE TABLE usage (id INTEGER PRIMARY KEY AUTOINCREMENT, at DOUBLE PRECISION NOT NULL, node TEXT NOT NULL, request_id TEXT NOT NULL,
        attempt BIGINT NOT NULL, client TEXT NOT NULL, protocol TEXT NOT NULL, operation TEXT NOT NULL,
        account TEXT NOT NULL, provider TEXT NOT NULL, model TEXT NOT NULL, seconds DOUBLE PRECISION NOT NULL,
        outcome TEXT NOT NULL, error TEXT NOT NULL, upstream_status BIGINT, input_uncached BIGINT, cache_read BIGINT,
        cache_write BIGINT, cache_write_1h BIGINT, audio_in BIGINT, tool_prompt BIGINT, output_visible BIGINT,
        reasoning BIGINT, audio_out BIGINT, server_tools TEXT NOT NULL, asked TEXT NOT NULL DEFAULT '', session TEXT NOT NULL DEFAULT '', first_byte DOUBLE PRECISION, cost DOUBLE PRECISION, prices TEXT NOT NULL DEFAULT '', estimated BIGINT NOT NULL DEFAULT 0, raw TEXT NOT NULL DEFAULT '', image_in BIGINT, image_out BIGINT, tags TEXT NOT NULL DEFAULT '', before DOUBLE PRECISION, streamed BIGINT NOT NULL DEFAULT 0, chosen TEXT NOT NULL DEFAULT '', decision TEXT NOT NULL DEFAULT '', remarks TEXT NOT NULL DEFAULT '');
INSERT INTO "usage" VALUES(1,1000.0,'node-a','req_1',1,'team-a','openai-chat','chat','openai-1','openai','gpt-5.4',0.25,'complete','',200,12,NULL,NULL,NULL,NULL,NULL,34,NULL,NULL,'{"web_search": 1}','','',NULL,NULL,'',0,'',NULL,NULL,'',NULL,0,'','','');
INSERT INTO "usage" VALUES(2,1000.0,'node-a','req_2',2,'team-a','openai-chat','chat','openai-1','openai','gpt-5.4',0.25,'complete','',200,12,NULL,NULL,NULL,NULL,NULL,34,NULL,NULL,'{"web_search": 1}','','',NULL,NULL,'',0,'',NULL,NULL,'',NULL,0,'','','');
CREATE TABLE writers (writer TEXT NOT NULL PRIMARY KEY, batch BIGINT NOT NULL, changed DOUBLE PRECISION NOT NULL);
CREATE INDEX usage_at ON usage (at);
CREATE INDEX requests_at ON requests (at);
CREATE INDEX requests_request_id ON requests (request_id);
CREATE INDEX usage_request_id ON usage (request_id);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('usage',2);
INSERT INTO "sqlite_sequence" VALUES('requests',1);
COMMIT;
