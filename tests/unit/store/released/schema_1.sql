BEGIN TRANSACTION;
CREATE TABLE logs (
        id INTEGER PRIMARY KEY, trace_id TEXT, span_id TEXT, time_ns INTEGER NOT NULL, severity INTEGER,
        severity_text TEXT, event_name TEXT, body TEXT, service TEXT NOT NULL, resource_id INTEGER NOT NULL,
        scope_id INTEGER, attributes TEXT);
INSERT INTO "logs" VALUES(1,'00000000000000000000000000000001','0000000000000002',1790000000015000000,9,'INFO',NULL,'"looked up Lisbon"','agent',4073499585858696718,4407339053582404781,'{"city":"Lisbon"}');
INSERT INTO "logs" VALUES(2,'00000000000000000000000000000002','0000000000000002',1790000060020000000,9,'INFO',NULL,'{"a":[1,"it''s 100%"]}','agent',4073499585858696718,4407339053582404781,NULL);
INSERT INTO "logs" VALUES(3,'00000000000000000000000000000004','0000000000000001',1790000130000000000,17,'ERROR',NULL,'"alone"','agent',4073499585858696718,4407339053582404781,NULL);
INSERT INTO "logs" VALUES(4,NULL,NULL,1790000140000000000,13,'WARN',NULL,'"outside"','agent',4073499585858696718,4407339053582404781,'{"user.id":"u 7"}');
CREATE TABLE points (
        id INTEGER PRIMARY KEY, name TEXT NOT NULL, kind TEXT NOT NULL, unit TEXT, start_ns INTEGER, time_ns INTEGER,
        value REAL, count INTEGER, service TEXT NOT NULL, resource_id INTEGER NOT NULL, scope_id INTEGER,
        attributes TEXT, data TEXT);
INSERT INTO "points" VALUES(1,'calls','Sum','{call}',1796072960524768920,1796072960525251780,3.0,NULL,'agent',4073499585858696718,-1735912878433392237,'{"model":"gpt-x"}','{"temporality":"CUMULATIVE","monotonic":true,"description":"Calls."}');
INSERT INTO "points" VALUES(2,'open','Sum',NULL,1796072960524823070,1796072960525251780,-1.0,NULL,'agent',4073499585858696718,-1735912878433392237,'{}','{"temporality":"CUMULATIVE","monotonic":false}');
INSERT INTO "points" VALUES(3,'depth','Gauge',NULL,NULL,1796072960525251780,0.5,NULL,'agent',4073499585858696718,-1735912878433392237,'{}','{}');
INSERT INTO "points" VALUES(4,'seconds','Histogram','s',1796072960525110599,1796072960525251780,1.5,1,'agent',4073499585858696718,-1735912878433392237,'{"model":"gpt-x"}','{"temporality":"CUMULATIVE","min":1.5,"max":1.5,"bucket_counts":[0,1,0,0,0,0,0,0,0,0,0,0,0,0,0,0],"explicit_bounds":[0.0,5.0,10.0,25.0,50.0,75.0,100.0,250.0,500.0,750.0,1000.0,2500.0,5000.0,7500.0,10000.0]}');
INSERT INTO "points" VALUES(5,'sizes','ExponentialHistogram','By',1796072960525203288,1796072960525251780,900.0,1,'agent',4073499585858696718,-1735912878433392237,'{}','{"temporality":"CUMULATIVE","min":900,"max":900,"scale":20,"zero_count":0,"positive":{"offset":10290495,"bucket_counts":[1]},"negative":{"offset":0,"bucket_counts":[0]}}');
CREATE TABLE resources (
        id INTEGER PRIMARY KEY, service TEXT NOT NULL, seen_ns INTEGER NOT NULL, attributes TEXT NOT NULL);
INSERT INTO "resources" VALUES(-8826842149135460894,'other',1796072960523545394,'{"service.name":"other","service.version":"2.0","process.pid":200}');
INSERT INTO "resources" VALUES(4073499585858696718,'agent',1796072960525529585,'{"service.name":"agent","process.pid":100}');
CREATE TABLE scopes (
        id INTEGER PRIMARY KEY, name TEXT NOT NULL, version TEXT, attributes TEXT);
INSERT INTO "scopes" VALUES(-1735912878433392237,'probe','1','{}');
INSERT INTO "scopes" VALUES(2987336225143919613,'obs_run','0.1.0','{}');
INSERT INTO "scopes" VALUES(4407339053582404781,'agent.tools','','{}');
CREATE TABLE spans (
        id INTEGER PRIMARY KEY, trace_id TEXT NOT NULL, span_id TEXT NOT NULL, parent_id TEXT, name TEXT NOT NULL,
        kind INTEGER NOT NULL, start_ns INTEGER, end_ns INTEGER, status INTEGER NOT NULL, status_text TEXT,
        unfinished INTEGER NOT NULL, service TEXT NOT NULL, operation TEXT, agent TEXT, conversation TEXT, model TEXT,
        tool TEXT, input_tokens INTEGER, output_tokens INTEGER, cost REAL, resource_id INTEGER NOT NULL,
        scope_id INTEGER, trace_state TEXT, attributes TEXT, events TEXT, links TEXT);
INSERT INTO "spans" VALUES(1,'00000000000000000000000000000001','0000000000000001',NULL,'run',1,1790000000000000000,1790000000100000000,0,NULL,0,'agent','invoke_agent','planner','c-1',NULL,NULL,100,NULL,NULL,4073499585858696718,2987336225143919613,NULL,'{"gen_ai.operation.name":"invoke_agent","gen_ai.agent.name":"planner","gen_ai.conversation.id":"c-1","gen_ai.usage.input_tokens":100}',NULL,NULL);
INSERT INTO "spans" VALUES(2,'00000000000000000000000000000001','0000000000000002','0000000000000001','chat gpt-x',3,1790000000010000000,1790000000030000000,0,NULL,0,'agent','chat',NULL,NULL,'gpt-x',NULL,90,2,0.5,4073499585858696718,2987336225143919613,NULL,'{"gen_ai.operation.name":"chat","gen_ai.request.model":"gpt-x","gen_ai.usage.input_tokens":90,"gen_ai.usage.output_tokens":2,"obs.cost.total":0.5,"gen_ai.input.messages":"[{\"role\": \"user\", \"parts\": [{\"type\": \"text\", \"content\": \"Say \\\"hi\\\"\\nto Zo\\u00eb\"}]}]","user.id":"u 7","n":12}',NULL,NULL);
INSERT INTO "spans" VALUES(3,'00000000000000000000000000000001','0000000000000003','0000000000000001','execute_tool search',1,1790000000040000000,1790000000060000000,2,'took too long',0,'agent','execute_tool',NULL,NULL,NULL,'search',NULL,NULL,NULL,4073499585858696718,2987336225143919613,NULL,'{"gen_ai.operation.name":"execute_tool","gen_ai.tool.name":"search","flag":true,"ratio":0.5,"stops":["end","max"],"raw":{"$bytes":"AP8="},"nested":{"a":[1,{"b":null}]}}','[["exception",1790000000000000005,{"exception.type":"TimeoutError"}]]','[["00000000000000000000000000000009","0000000000000008",{"why":"retry"}]]');
INSERT INTO "spans" VALUES(4,'00000000000000000000000000000002','0000000000000001',NULL,'run',1,1790000060000000000,1790000060100000000,0,NULL,0,'agent',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,4073499585858696718,2987336225143919613,NULL,NULL,NULL,NULL);
INSERT INTO "spans" VALUES(5,'00000000000000000000000000000002','0000000000000002','0000000000000001','chat gpt-y',1,1790000060010000000,1790000060030000000,0,NULL,0,'agent','chat',NULL,NULL,'gpt-y',NULL,5,2,0.25,4073499585858696718,2987336225143919613,NULL,'{"gen_ai.operation.name":"chat","gen_ai.request.model":"gpt-y","gen_ai.usage.input_tokens":5,"gen_ai.usage.output_tokens":2,"obs.cost.total":0.25}',NULL,NULL);
INSERT INTO "spans" VALUES(6,'00000000000000000000000000000002','0000000000000003','0000000000000001','chat gpt-x',1,1790000060050000000,1790000060060000000,0,NULL,0,'other','chat',NULL,NULL,'gpt-x',NULL,1,2,0.1,-8826842149135460894,2987336225143919613,NULL,'{"gen_ai.operation.name":"chat","gen_ai.request.model":"gpt-x","gen_ai.usage.input_tokens":1,"gen_ai.usage.output_tokens":2,"obs.cost.total":0.1}',NULL,NULL);
INSERT INTO "spans" VALUES(7,'00000000000000000000000000000003','0000000000000001',NULL,'serve',2,1790000120000000000,1790000120050000000,0,NULL,1,'other',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,-8826842149135460894,2987336225143919613,NULL,'{"obs.span.unfinished":true}',NULL,NULL);
CREATE TABLE traces (
        trace_id TEXT PRIMARY KEY, root_rank INTEGER, root_start_ns INTEGER, name TEXT, service TEXT,
        services TEXT NOT NULL, start_ns INTEGER, end_ns INTEGER, spans INTEGER NOT NULL, errors INTEGER NOT NULL,
        unfinished INTEGER NOT NULL, logs INTEGER NOT NULL, input_tokens INTEGER, output_tokens INTEGER, cost REAL,
        agent_input_tokens INTEGER, agent_output_tokens INTEGER, agent_cost REAL,
        bytes INTEGER NOT NULL, written_ns INTEGER NOT NULL);
INSERT INTO "traces" VALUES('00000000000000000000000000000001',0,1790000000000000000,'run','agent','|agent|',1790000000000000000,1790000000100000000,3,1,0,1,90,2,0.5,100,NULL,NULL,2059,1796072960523545394);
INSERT INTO "traces" VALUES('00000000000000000000000000000002',0,1790000060000000000,'run','agent','|agent||other|',1790000060000000000,1790000060100000000,3,0,0,1,6,4,0.35,NULL,NULL,NULL,1592,1796072960523545394);
INSERT INTO "traces" VALUES('00000000000000000000000000000003',0,1790000120000000000,'serve','other','|other|',1790000120000000000,1790000120050000000,1,0,1,0,NULL,NULL,NULL,NULL,NULL,NULL,348,1796072960523545394);
INSERT INTO "traces" VALUES('00000000000000000000000000000004',NULL,NULL,NULL,NULL,'|agent|',1790000130000000000,1790000130000000000,0,1,0,1,NULL,NULL,NULL,NULL,NULL,NULL,327,1796072960524243335);
CREATE INDEX traces_by_start ON traces (start_ns);
CREATE INDEX traces_by_end ON traces (end_ns);
CREATE INDEX traces_by_writing ON traces (written_ns);
CREATE UNIQUE INDEX spans_by_id ON spans (trace_id, span_id);
CREATE INDEX logs_by_trace ON logs (trace_id) WHERE trace_id IS NOT NULL;
CREATE INDEX logs_alone ON logs (time_ns) WHERE trace_id IS NULL;
CREATE INDEX points_by_time ON points (time_ns);
COMMIT;
PRAGMA application_id = 1868723058;
PRAGMA user_version = 1;
