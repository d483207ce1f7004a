CREATE TABLE IF NOT EXISTS transfers (
  id           INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
  uuid         TEXT NOT NULL,
  name         TEXT NOT NULL,
  idem_key     BLOB NULL,
  run_key      TEXT NOT NULL DEFAULT '',
  via          TEXT NOT NULL,
  state        TEXT NOT NULL CHECK (state = 'open' OR state = 'running' OR state = 'finalizing' OR state = 'completed' OR state = 'interrupted' OR state = 'canceled'),
  queue        TEXT NOT NULL,
  recipe       TEXT NOT NULL,
  sources      BLOB NOT NULL,
  files        INTEGER NOT NULL DEFAULT 0 CHECK (typeof(files) = 'integer'),
  bytes        INTEGER NOT NULL DEFAULT 0 CHECK (typeof(bytes) = 'integer'),
  finished     INTEGER NOT NULL DEFAULT 0 CHECK (typeof(finished) = 'integer'),
  dispatched   INTEGER NOT NULL DEFAULT 0 CHECK (typeof(dispatched) = 'integer'),
  dispatched_bytes INTEGER NOT NULL DEFAULT 0 CHECK (typeof(dispatched_bytes) = 'integer'),
  sweep_mark   INTEGER NOT NULL DEFAULT 0 CHECK (typeof(sweep_mark) = 'integer'),
  marked_at    DATETIME NULL CHECK (marked_at IS NULL OR marked_at GLOB '????-??-?? ??:??:??.[0-9][0-9][0-9][0-9][0-9][0-9]+00:00' AND date(marked_at) IS substr(marked_at, 1, 10)),
  paused_at    DATETIME NULL CHECK (paused_at IS NULL OR paused_at GLOB '????-??-?? ??:??:??.[0-9][0-9][0-9][0-9][0-9][0-9]+00:00' AND date(paused_at) IS substr(paused_at, 1, 10)),
  last_paused_at DATETIME NULL CHECK (last_paused_at IS NULL OR last_paused_at GLOB '????-??-?? ??:??:??.[0-9][0-9][0-9][0-9][0-9][0-9]+00:00' AND date(last_paused_at) IS substr(last_paused_at, 1, 10)),
  resumed_at    DATETIME NULL CHECK (resumed_at IS NULL OR resumed_at GLOB '????-??-?? ??:??:??.[0-9][0-9][0-9][0-9][0-9][0-9]+00:00' AND date(resumed_at) IS substr(resumed_at, 1, 10)),
  webhooks     TEXT NOT NULL,
  finalizing      INTEGER NOT NULL DEFAULT 0 CHECK (typeof(finalizing) = 'integer'),
  created_at   DATETIME NOT NULL CHECK (created_at GLOB '????-??-?? ??:??:??.[0-9][0-9][0-9][0-9][0-9][0-9]+00:00' AND date(created_at) IS substr(created_at, 1, 10)),
  seen_at      DATETIME NOT NULL CHECK (seen_at GLOB '????-??-?? ??:??:??.[0-9][0-9][0-9][0-9][0-9][0-9]+00:00' AND date(seen_at) IS substr(seen_at, 1, 10)),
  sealed_at    DATETIME NULL CHECK (sealed_at IS NULL OR sealed_at GLOB '????-??-?? ??:??:??.[0-9][0-9][0-9][0-9][0-9][0-9]+00:00' AND date(sealed_at) IS substr(sealed_at, 1, 10)),
  ended_at     DATETIME NULL CHECK (ended_at IS NULL OR ended_at GLOB '????-??-?? ??:??:??.[0-9][0-9][0-9][0-9][0-9][0-9]+00:00' AND date(ended_at) IS substr(ended_at, 1, 10)),
  trouble      TEXT NOT NULL DEFAULT '',
  selection    BLOB NULL,
  producer_token INTEGER NOT NULL DEFAULT 0 CHECK (typeof(producer_token) = 'integer'),
  sources_key  TEXT NOT NULL DEFAULT '',
  baseline_at  DATETIME NULL CHECK (baseline_at IS NULL OR baseline_at GLOB '????-??-?? ??:??:??.[0-9][0-9][0-9][0-9][0-9][0-9]+00:00' AND date(baseline_at) IS substr(baseline_at, 1, 10)),
  weight       INTEGER NOT NULL DEFAULT 1 CHECK (typeof(weight) = 'integer'),
  stop_after   TEXT NOT NULL DEFAULT '',
  stopped      TEXT NOT NULL DEFAULT '',
  webhook_events TEXT NOT NULL DEFAULT '',
  updated_at   DATETIME NULL CHECK (updated_at IS NULL OR updated_at GLOB '????-??-?? ??:??:??.[0-9][0-9][0-9][0-9][0-9][0-9]+00:00' AND date(updated_at) IS substr(updated_at, 1, 10)),
  deadline_at  DATETIME NULL CHECK (deadline_at IS NULL OR deadline_at GLOB '????-??-?? ??:??:??.[0-9][0-9][0-9][0-9][0-9][0-9]+00:00' AND date(deadline_at) IS substr(deadline_at, 1, 10)),
  deadline_exceeded BOOLEAN NOT NULL DEFAULT 0 CHECK (deadline_exceeded IN (0, 1)),
  failing      BOOLEAN NOT NULL DEFAULT 0 CHECK (failing IN (0, 1)),
  stalled      BOOLEAN NOT NULL DEFAULT 0 CHECK (stalled IN (0, 1)),
  moved_at     DATETIME NULL CHECK (moved_at IS NULL OR moved_at GLOB '????-??-?? ??:??:??.[0-9][0-9][0-9][0-9][0-9][0-9]+00:00' AND date(moved_at) IS substr(moved_at, 1, 10)),
  intake       TEXT NOT NULL DEFAULT '',
  clock_shift  INTEGER NOT NULL DEFAULT 0 CHECK (typeof(clock_shift) = 'integer'),
  no_reuse     BOOLEAN NOT NULL DEFAULT 0 CHECK (no_reuse IN (0, 1)),
  trace_parent TEXT NOT NULL DEFAULT '',
  list_paths   INTEGER NOT NULL DEFAULT 0 CHECK (typeof(list_paths) = 'integer'),
  list_digest  BLOB NULL,
  emitted      INTEGER NOT NULL DEFAULT 0 CHECK (typeof(emitted) = 'integer'),
  emitted_registered INTEGER NOT NULL DEFAULT 0 CHECK (typeof(emitted_registered) = 'integer'),
  journaled_at DATETIME NULL CHECK (journaled_at IS NULL OR journaled_at GLOB '????-??-?? ??:??:??.[0-9][0-9][0-9][0-9][0-9][0-9]+00:00' AND date(journaled_at) IS substr(journaled_at, 1, 10))
);

CREATE UNIQUE INDEX IF NOT EXISTS transfers_uuid ON transfers (uuid);

CREATE UNIQUE INDEX IF NOT EXISTS transfers_key ON transfers (idem_key);

CREATE INDEX IF NOT EXISTS transfers_state ON transfers (state);

CREATE INDEX IF NOT EXISTS transfers_run_key ON transfers (run_key);

CREATE INDEX IF NOT EXISTS transfers_sources ON transfers (sources_key);

CREATE TABLE IF NOT EXISTS steps (
  transfer_id  INTEGER NOT NULL CHECK (typeof(transfer_id) = 'integer'),
  no           INTEGER NOT NULL CHECK (typeof(no) = 'integer'),
  name         TEXT NOT NULL,
  handler      TEXT NOT NULL,
  selected       INTEGER NOT NULL DEFAULT 0 CHECK (typeof(selected) = 'integer'),
  succeeded    INTEGER NOT NULL DEFAULT 0 CHECK (typeof(succeeded) = 'integer'),
  warning      INTEGER NOT NULL DEFAULT 0 CHECK (typeof(warning) = 'integer'),
  skipped      INTEGER NOT NULL DEFAULT 0 CHECK (typeof(skipped) = 'integer'),
  failed       INTEGER NOT NULL DEFAULT 0 CHECK (typeof(failed) = 'integer'),
  error        INTEGER NOT NULL DEFAULT 0 CHECK (typeof(error) = 'integer'),
  timed_out    INTEGER NOT NULL DEFAULT 0 CHECK (typeof(timed_out) = 'integer'),
  canceled     INTEGER NOT NULL DEFAULT 0 CHECK (typeof(canceled) = 'integer'),
  reused       INTEGER NOT NULL DEFAULT 0 CHECK (typeof(reused) = 'integer'),
  seen_failures INTEGER NOT NULL DEFAULT 0 CHECK (typeof(seen_failures) = 'integer'),
  seen_results INTEGER NOT NULL DEFAULT 0 CHECK (typeof(seen_results) = 'integer'),
  approval     TEXT NOT NULL DEFAULT '' CHECK (approval = '' OR approval = 'waiting' OR approval = 'approved' OR approval = 'rejected'),
  limits       TEXT NOT NULL DEFAULT '',
  asked_at     DATETIME NULL CHECK (asked_at IS NULL OR asked_at GLOB '????-??-?? ??:??:??.[0-9][0-9][0-9][0-9][0-9][0-9]+00:00' AND date(asked_at) IS substr(asked_at, 1, 10)),
  approved_at     DATETIME NULL CHECK (approved_at IS NULL OR approved_at GLOB '????-??-?? ??:??:??.[0-9][0-9][0-9][0-9][0-9][0-9]+00:00' AND date(approved_at) IS substr(approved_at, 1, 10)),
  PRIMARY KEY (transfer_id, no)
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS files (
  transfer_id  INTEGER NOT NULL CHECK (typeof(transfer_id) = 'integer'),
  no           INTEGER NOT NULL CHECK (typeof(no) = 'integer'),
  path         BLOB NOT NULL,
  size         INTEGER NOT NULL CHECK (typeof(size) = 'integer'),
  mtime        DATETIME NULL CHECK (mtime IS NULL OR mtime GLOB '????-??-?? ??:??:??.[0-9][0-9][0-9][0-9][0-9][0-9]+00:00' AND date(mtime) IS substr(mtime, 1, 10)),
  scan_error      TEXT NOT NULL DEFAULT '',
  part         INTEGER NULL CHECK (part IS NULL OR typeof(part) = 'integer'),
  byte_offset      INTEGER NULL CHECK (byte_offset IS NULL OR typeof(byte_offset) = 'integer'),
  line_no      INTEGER NULL CHECK (line_no IS NULL OR typeof(line_no) = 'integer'),
  parent_no    INTEGER NULL CHECK (parent_no IS NULL OR typeof(parent_no) = 'integer'),
  version      TEXT NOT NULL DEFAULT '',
  PRIMARY KEY (transfer_id, no)
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS emitted_files (
  transfer_id  INTEGER NOT NULL CHECK (typeof(transfer_id) = 'integer'),
  parent_no    INTEGER NOT NULL CHECK (typeof(parent_no) = 'integer'),
  step_no      INTEGER NOT NULL CHECK (typeof(step_no) = 'integer'),
  name_hash    BLOB NOT NULL,
  position     INTEGER NOT NULL CHECK (typeof(position) = 'integer'),
  file_no      INTEGER NULL CHECK (file_no IS NULL OR typeof(file_no) = 'integer'),
  top_no       INTEGER NOT NULL CHECK (typeof(top_no) = 'integer'),
  depth        INTEGER NOT NULL CHECK (typeof(depth) = 'integer'),
  name         BLOB NOT NULL,
  path         BLOB NOT NULL,
  base_length  INTEGER NOT NULL CHECK (typeof(base_length) = 'integer'),
  size         INTEGER NOT NULL CHECK (typeof(size) = 'integer'),
  mtime        DATETIME NULL CHECK (mtime IS NULL OR mtime GLOB '????-??-?? ??:??:??.[0-9][0-9][0-9][0-9][0-9][0-9]+00:00' AND date(mtime) IS substr(mtime, 1, 10)),
  PRIMARY KEY (transfer_id, parent_no, step_no, name_hash)
) WITHOUT ROWID;

CREATE INDEX IF NOT EXISTS emitted_files_file ON emitted_files (transfer_id, file_no);

CREATE INDEX IF NOT EXISTS emitted_files_top ON emitted_files (transfer_id, top_no);

CREATE TABLE IF NOT EXISTS batches (
  id           INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
  transfer_id  INTEGER NOT NULL CHECK (typeof(transfer_id) = 'integer'),
  step_no      INTEGER NOT NULL CHECK (typeof(step_no) = 'integer'),
  attempt      INTEGER NOT NULL CHECK (typeof(attempt) = 'integer'),
  files        TEXT NOT NULL,
  items        INTEGER NOT NULL CHECK (typeof(items) = 'integer'),
  bytes        INTEGER NOT NULL CHECK (typeof(bytes) = 'integer'),
  queue        TEXT NOT NULL,
  fencing_token     INTEGER NOT NULL DEFAULT 0 CHECK (typeof(fencing_token) = 'integer'),
  crashes         INTEGER NOT NULL DEFAULT 0 CHECK (typeof(crashes) = 'integer'),
  due_at       DATETIME NOT NULL CHECK (due_at GLOB '????-??-?? ??:??:??.[0-9][0-9][0-9][0-9][0-9][0-9]+00:00' AND date(due_at) IS substr(due_at, 1, 10)),
  created_at   DATETIME NOT NULL CHECK (created_at GLOB '????-??-?? ??:??:??.[0-9][0-9][0-9][0-9][0-9][0-9]+00:00' AND date(created_at) IS substr(created_at, 1, 10)),
  gathering    BOOLEAN NOT NULL DEFAULT 0 CHECK (gathering IN (0, 1)),
  held_by      TEXT NOT NULL DEFAULT '',
  held_until   DATETIME NULL CHECK (held_until IS NULL OR held_until GLOB '????-??-?? ??:??:??.[0-9][0-9][0-9][0-9][0-9][0-9]+00:00' AND date(held_until) IS substr(held_until, 1, 10)),
  inherited_crashes INTEGER NOT NULL DEFAULT 0 CHECK (typeof(inherited_crashes) = 'integer'),
  progress     TEXT NULL
);

CREATE INDEX IF NOT EXISTS batches_transfer ON batches (transfer_id);

CREATE INDEX IF NOT EXISTS batches_due ON batches (gathering, due_at);

CREATE TABLE IF NOT EXISTS results (
  transfer_id  INTEGER NOT NULL CHECK (typeof(transfer_id) = 'integer'),
  step_no      INTEGER NOT NULL CHECK (typeof(step_no) = 'integer'),
  file_no      INTEGER NOT NULL CHECK (typeof(file_no) = 'integer'),
  batch_id     INTEGER NOT NULL CHECK (typeof(batch_id) = 'integer'),
  outcome      TEXT NOT NULL CHECK (outcome = 'succeeded' OR outcome = 'warning' OR outcome = 'skipped' OR outcome = 'failed' OR outcome = 'error' OR outcome = 'timed_out' OR outcome = 'canceled'),
  exit_code    INTEGER NOT NULL DEFAULT 0 CHECK (typeof(exit_code) = 'integer'),
  code         TEXT NOT NULL DEFAULT '',
  output       TEXT NOT NULL DEFAULT '',
  error        TEXT NOT NULL DEFAULT '',
  truncated    BOOLEAN NOT NULL DEFAULT 0 CHECK (truncated IN (0, 1)),
  facts        TEXT NULL CHECK (facts IS NULL OR json_type(facts) = 'object'),
  attempt      INTEGER NOT NULL DEFAULT 1 CHECK (typeof(attempt) = 'integer'),
  worker       TEXT NOT NULL,
  started_at   DATETIME NOT NULL CHECK (started_at GLOB '????-??-?? ??:??:??.[0-9][0-9][0-9][0-9][0-9][0-9]+00:00' AND date(started_at) IS substr(started_at, 1, 10)),
  ended_at     DATETIME NOT NULL CHECK (ended_at GLOB '????-??-?? ??:??:??.[0-9][0-9][0-9][0-9][0-9][0-9]+00:00' AND date(ended_at) IS substr(ended_at, 1, 10)),
  reused_from  TEXT NULL,
  reused_file  INTEGER NULL CHECK (reused_file IS NULL OR typeof(reused_file) = 'integer'),
  ran_at       DATETIME NULL CHECK (ran_at IS NULL OR ran_at GLOB '????-??-?? ??:??:??.[0-9][0-9][0-9][0-9][0-9][0-9]+00:00' AND date(ran_at) IS substr(ran_at, 1, 10)),
  PRIMARY KEY (transfer_id, step_no, file_no)
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS reusable_results (
  file_key     BLOB NOT NULL,
  fingerprint  BLOB NOT NULL,
  handler      TEXT NOT NULL,
  transfer_id  INTEGER NOT NULL CHECK (typeof(transfer_id) = 'integer'),
  step_no      INTEGER NOT NULL CHECK (typeof(step_no) = 'integer'),
  file_no      INTEGER NOT NULL CHECK (typeof(file_no) = 'integer'),
  batch_id     INTEGER NOT NULL CHECK (typeof(batch_id) = 'integer'),
  ran_in       TEXT NOT NULL,
  ran_file     INTEGER NOT NULL CHECK (typeof(ran_file) = 'integer'),
  ran_at       DATETIME NOT NULL CHECK (ran_at GLOB '????-??-?? ??:??:??.[0-9][0-9][0-9][0-9][0-9][0-9]+00:00' AND date(ran_at) IS substr(ran_at, 1, 10)),
  PRIMARY KEY (file_key, fingerprint)
) WITHOUT ROWID;

CREATE INDEX IF NOT EXISTS reusable_results_transfer ON reusable_results (transfer_id);
CREATE INDEX IF NOT EXISTS reusable_results_handler ON reusable_results (handler, ran_at);

CREATE TABLE IF NOT EXISTS failures (
  transfer_id  INTEGER NOT NULL CHECK (typeof(transfer_id) = 'integer'),
  step_no      INTEGER NOT NULL CHECK (typeof(step_no) = 'integer'),
  file_no      INTEGER NOT NULL CHECK (typeof(file_no) = 'integer'),
  outcome      TEXT NOT NULL CHECK (outcome = 'succeeded' OR outcome = 'warning' OR outcome = 'skipped' OR outcome = 'failed' OR outcome = 'error' OR outcome = 'timed_out' OR outcome = 'canceled'),
  code         TEXT NOT NULL,
  message      TEXT NOT NULL,
  kind         INTEGER NOT NULL CHECK (typeof(kind) = 'integer'),
  ended_us     INTEGER NOT NULL CHECK (typeof(ended_us) = 'integer'),
  PRIMARY KEY (transfer_id, step_no, file_no)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS failures_file ON failures (transfer_id, file_no, step_no);

CREATE TABLE IF NOT EXISTS attempts (
  id           INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
  transfer_id  INTEGER NOT NULL CHECK (typeof(transfer_id) = 'integer'),
  step_no      INTEGER NOT NULL CHECK (typeof(step_no) = 'integer'),
  file_no      INTEGER NOT NULL CHECK (typeof(file_no) = 'integer'),
  batch_id     INTEGER NOT NULL CHECK (typeof(batch_id) = 'integer'),
  outcome      TEXT NOT NULL CHECK (outcome = 'succeeded' OR outcome = 'warning' OR outcome = 'skipped' OR outcome = 'failed' OR outcome = 'error' OR outcome = 'timed_out' OR outcome = 'canceled'),
  exit_code    INTEGER NOT NULL CHECK (typeof(exit_code) = 'integer'),
  code         TEXT NOT NULL,
  output       TEXT NOT NULL,
  error        TEXT NOT NULL,
  truncated    BOOLEAN NOT NULL CHECK (truncated IN (0, 1)),
  facts        TEXT NULL CHECK (facts IS NULL OR json_type(facts) = 'object'),
  attempt      INTEGER NOT NULL CHECK (typeof(attempt) = 'integer'),
  worker       TEXT NOT NULL,
  started_at   DATETIME NOT NULL CHECK (started_at GLOB '????-??-?? ??:??:??.[0-9][0-9][0-9][0-9][0-9][0-9]+00:00' AND date(started_at) IS substr(started_at, 1, 10)),
  ended_at     DATETIME NOT NULL CHECK (ended_at GLOB '????-??-?? ??:??:??.[0-9][0-9][0-9][0-9][0-9][0-9]+00:00' AND date(ended_at) IS substr(ended_at, 1, 10))
);

CREATE INDEX IF NOT EXISTS attempts_file ON attempts (transfer_id, step_no, file_no);

CREATE TABLE IF NOT EXISTS canceled_files (
  transfer_id  INTEGER NOT NULL CHECK (typeof(transfer_id) = 'integer'),
  file_no      INTEGER NOT NULL CHECK (typeof(file_no) = 'integer'),
  PRIMARY KEY (transfer_id, file_no)
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS batch_history (
  transfer_id  INTEGER NOT NULL CHECK (typeof(transfer_id) = 'integer'),
  batch_id     INTEGER NOT NULL CHECK (typeof(batch_id) = 'integer'),
  step_no      INTEGER NOT NULL CHECK (typeof(step_no) = 'integer'),
  attempt      INTEGER NOT NULL CHECK (typeof(attempt) = 'integer'),
  worker       TEXT NOT NULL,
  items        INTEGER NOT NULL CHECK (typeof(items) = 'integer'),
  failed       INTEGER NOT NULL CHECK (typeof(failed) = 'integer'),
  bytes        INTEGER NOT NULL CHECK (typeof(bytes) = 'integer'),
  created_us   INTEGER NOT NULL CHECK (typeof(created_us) = 'integer'),
  started_us   INTEGER NOT NULL CHECK (typeof(started_us) = 'integer'),
  ended_us     INTEGER NOT NULL CHECK (typeof(ended_us) = 'integer'),
  slowest_no   INTEGER NOT NULL CHECK (typeof(slowest_no) = 'integer'),
  slowest_us   INTEGER NOT NULL CHECK (typeof(slowest_us) = 'integer'),
  PRIMARY KEY (transfer_id, batch_id)
) WITHOUT ROWID;

CREATE INDEX IF NOT EXISTS batch_history_slowest ON batch_history (transfer_id, slowest_us);

CREATE TABLE IF NOT EXISTS activity (
  transfer_id  INTEGER NOT NULL CHECK (typeof(transfer_id) = 'integer'),
  slot         INTEGER NOT NULL CHECK (typeof(slot) = 'integer'),
  results      INTEGER NOT NULL CHECK (typeof(results) = 'integer'),
  failed       INTEGER NOT NULL CHECK (typeof(failed) = 'integer'),
  finished     INTEGER NOT NULL CHECK (typeof(finished) = 'integer'),
  bytes        INTEGER NOT NULL CHECK (typeof(bytes) = 'integer'),
  PRIMARY KEY (transfer_id, slot)
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS work_times (
  transfer_id  INTEGER NOT NULL CHECK (typeof(transfer_id) = 'integer'),
  step_no      INTEGER NOT NULL CHECK (typeof(step_no) = 'integer'),
  worker       TEXT NOT NULL,
  started_us   INTEGER NOT NULL CHECK (typeof(started_us) = 'integer'),
  slots        INTEGER NOT NULL CHECK (typeof(slots) = 'integer'),
  from_us      INTEGER NOT NULL CHECK (typeof(from_us) = 'integer'),
  until_us     INTEGER NOT NULL CHECK (typeof(until_us) = 'integer'),
  paused_us    INTEGER NOT NULL CHECK (typeof(paused_us) = 'integer'),
  approval_us  INTEGER NOT NULL CHECK (typeof(approval_us) = 'integer'),
  limits_us    INTEGER NOT NULL CHECK (typeof(limits_us) = 'integer'),
  retry_us     INTEGER NOT NULL CHECK (typeof(retry_us) = 'integer'),
  queue_us     INTEGER NOT NULL CHECK (typeof(queue_us) = 'integer'),
  no_batch_us  INTEGER NOT NULL CHECK (typeof(no_batch_us) = 'integer'),
  slots_us     INTEGER NOT NULL CHECK (typeof(slots_us) = 'integer'),
  loading_us   INTEGER NOT NULL CHECK (typeof(loading_us) = 'integer'),
  handler_us   INTEGER NOT NULL CHECK (typeof(handler_us) = 'integer'),
  commits_us   INTEGER NOT NULL CHECK (typeof(commits_us) = 'integer'),
  other_us     INTEGER NOT NULL CHECK (typeof(other_us) = 'integer'),
  in_handler_us INTEGER NOT NULL CHECK (typeof(in_handler_us) = 'integer'),
  PRIMARY KEY (transfer_id, step_no, worker, started_us)
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS seen_files (
  run_key      TEXT NOT NULL,
  path_hash    BLOB NOT NULL,
  transfer_id  INTEGER NOT NULL CHECK (typeof(transfer_id) = 'integer'),
  size         INTEGER NOT NULL CHECK (typeof(size) = 'integer'),
  mtime        INTEGER NOT NULL CHECK (typeof(mtime) = 'integer'),
  file_no      INTEGER NOT NULL DEFAULT 0 CHECK (typeof(file_no) = 'integer'),
  accepted     BOOLEAN NOT NULL DEFAULT 0 CHECK (accepted IN (0, 1)),
  was_transfer_id INTEGER NOT NULL DEFAULT 0 CHECK (typeof(was_transfer_id) = 'integer'),
  was_file_no  INTEGER NOT NULL DEFAULT 0 CHECK (typeof(was_file_no) = 'integer'),
  damaged      BOOLEAN NOT NULL DEFAULT 0 CHECK (damaged IN (0, 1)),
  missing      BOOLEAN NOT NULL DEFAULT 0 CHECK (missing IN (0, 1)),
  news         INTEGER NOT NULL DEFAULT 0 CHECK (typeof(news) = 'integer'),
  top_no       INTEGER NOT NULL DEFAULT 0 CHECK (typeof(top_no) = 'integer'),
  PRIMARY KEY (run_key, path_hash)
) WITHOUT ROWID;

CREATE INDEX IF NOT EXISTS seen_files_place ON seen_files (run_key, transfer_id, file_no);

CREATE INDEX IF NOT EXISTS seen_files_damaged ON seen_files (run_key) WHERE damaged = 1;

CREATE INDEX IF NOT EXISTS seen_files_missing ON seen_files (run_key) WHERE missing = 1;

CREATE TABLE IF NOT EXISTS dead_letters (
  id           INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
  received_at  DATETIME NOT NULL CHECK (received_at GLOB '????-??-?? ??:??:??.[0-9][0-9][0-9][0-9][0-9][0-9]+00:00' AND date(received_at) IS substr(received_at, 1, 10)),
  type         TEXT NOT NULL,
  payload      BLOB NOT NULL,
  reason       TEXT NOT NULL
);

CREATE TABLE IF NOT EXISTS workers (
  name         TEXT NOT NULL PRIMARY KEY,
  handlers     TEXT NOT NULL,
  slots        INTEGER NOT NULL CHECK (typeof(slots) = 'integer'),
  version      TEXT NOT NULL,
  desired_state         TEXT NOT NULL DEFAULT '',
  limits_in_use         TEXT NOT NULL,
  rates_in_use          TEXT NOT NULL,
  started_at   DATETIME NOT NULL CHECK (started_at GLOB '????-??-?? ??:??:??.[0-9][0-9][0-9][0-9][0-9][0-9]+00:00' AND date(started_at) IS substr(started_at, 1, 10)),
  seen_at      DATETIME NOT NULL CHECK (seen_at GLOB '????-??-?? ??:??:??.[0-9][0-9][0-9][0-9][0-9][0-9]+00:00' AND date(seen_at) IS substr(seen_at, 1, 10)),
  instance     TEXT NOT NULL DEFAULT '',
  queues       TEXT NOT NULL,
  throttled    TEXT NOT NULL,
  write_us     INTEGER NOT NULL DEFAULT 0 CHECK (typeof(write_us) = 'integer'),
  host         TEXT NOT NULL DEFAULT '',
  limits_wanted TEXT NOT NULL DEFAULT '',
  signing_keys TEXT NOT NULL DEFAULT '',
  log_level    TEXT NOT NULL DEFAULT ''
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS costs (
  handler      TEXT NOT NULL,
  arguments    TEXT NOT NULL,
  worker       TEXT NOT NULL,
  sum_n2           REAL NOT NULL CHECK (typeof(sum_n2) = 'real'),
  sum_nb           REAL NOT NULL CHECK (typeof(sum_nb) = 'real'),
  sum_b2           REAL NOT NULL CHECK (typeof(sum_b2) = 'real'),
  sum_nt           REAL NOT NULL CHECK (typeof(sum_nt) = 'real'),
  sum_bt           REAL NOT NULL CHECK (typeof(sum_bt) = 'real'),
  seconds      REAL NOT NULL CHECK (typeof(seconds) = 'real'),
  updated_at   DATETIME NOT NULL CHECK (updated_at GLOB '????-??-?? ??:??:??.[0-9][0-9][0-9][0-9][0-9][0-9]+00:00' AND date(updated_at) IS substr(updated_at, 1, 10)),
  PRIMARY KEY (handler, arguments, worker)
);

CREATE TABLE IF NOT EXISTS limits (
  scope        TEXT NOT NULL,
  name         TEXT NOT NULL,
  in_flight    INTEGER NOT NULL CHECK (typeof(in_flight) = 'integer'),
  files_per_second REAL NOT NULL CHECK (typeof(files_per_second) = 'real'),
  per_host     INTEGER NOT NULL DEFAULT 0 CHECK (typeof(per_host) = 'integer'),
  weight       INTEGER NOT NULL DEFAULT 0 CHECK (typeof(weight) = 'integer'),
  configured   TEXT NOT NULL DEFAULT '',
  PRIMARY KEY (scope, name)
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS leases (
  name         TEXT NOT NULL PRIMARY KEY,
  holder       TEXT NOT NULL,
  until        DATETIME NOT NULL CHECK (until GLOB '????-??-?? ??:??:??.[0-9][0-9][0-9][0-9][0-9][0-9]+00:00' AND date(until) IS substr(until, 1, 10))
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS webhook_deliveries (
  id           INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
  event        TEXT NOT NULL,
  transfer_id  INTEGER NOT NULL CHECK (typeof(transfer_id) = 'integer'),
  url          TEXT NOT NULL,
  body         TEXT NOT NULL,
  attempts        INTEGER NOT NULL DEFAULT 0 CHECK (typeof(attempts) = 'integer'),
  due_at       DATETIME NULL CHECK (due_at IS NULL OR due_at GLOB '????-??-?? ??:??:??.[0-9][0-9][0-9][0-9][0-9][0-9]+00:00' AND date(due_at) IS substr(due_at, 1, 10)),
  created_at   DATETIME NOT NULL CHECK (created_at GLOB '????-??-?? ??:??:??.[0-9][0-9][0-9][0-9][0-9][0-9]+00:00' AND date(created_at) IS substr(created_at, 1, 10)),
  done_at      DATETIME NULL CHECK (done_at IS NULL OR done_at GLOB '????-??-?? ??:??:??.[0-9][0-9][0-9][0-9][0-9][0-9]+00:00' AND date(done_at) IS substr(done_at, 1, 10)),
  error        TEXT NOT NULL
);

CREATE INDEX IF NOT EXISTS webhook_deliveries_due ON webhook_deliveries (due_at);

CREATE INDEX IF NOT EXISTS webhook_deliveries_transfer ON webhook_deliveries (transfer_id);

CREATE TABLE IF NOT EXISTS finalize_steps (
  transfer_id  INTEGER NOT NULL CHECK (typeof(transfer_id) = 'integer'),
  no           INTEGER NOT NULL CHECK (typeof(no) = 'integer'),
  name         TEXT NOT NULL,
  handler      TEXT NOT NULL,
  state        TEXT NOT NULL CHECK (state = 'waiting' OR state = 'running' OR state = 'done' OR state = 'failed' OR state = 'canceled'),
  event        TEXT NOT NULL DEFAULT '',
  attempts        INTEGER NOT NULL DEFAULT 0 CHECK (typeof(attempts) = 'integer'),
  fencing_token     INTEGER NOT NULL DEFAULT 0 CHECK (typeof(fencing_token) = 'integer'),
  due_at       DATETIME NULL CHECK (due_at IS NULL OR due_at GLOB '????-??-?? ??:??:??.[0-9][0-9][0-9][0-9][0-9][0-9]+00:00' AND date(due_at) IS substr(due_at, 1, 10)),
  error        TEXT NOT NULL,
  digest       TEXT NOT NULL DEFAULT '',
  inputs       TEXT NOT NULL DEFAULT '',
  stale        BOOLEAN NOT NULL DEFAULT 0 CHECK (stale IN (0, 1)),
  progress     TEXT NULL,
  PRIMARY KEY (transfer_id, no)
) WITHOUT ROWID;

CREATE INDEX IF NOT EXISTS finalize_steps_due ON finalize_steps (due_at);

CREATE TABLE IF NOT EXISTS loads (
  transfer_id  INTEGER NOT NULL CHECK (typeof(transfer_id) = 'integer'),
  step_no      INTEGER NOT NULL CHECK (typeof(step_no) = 'integer'),
  file_no      INTEGER NOT NULL CHECK (typeof(file_no) = 'integer'),
  byte_offset      INTEGER NOT NULL CHECK (typeof(byte_offset) = 'integer'),
  bytes        INTEGER NOT NULL CHECK (typeof(bytes) = 'integer'),
  lines        INTEGER NOT NULL CHECK (typeof(lines) = 'integer'),
  loaded       INTEGER NOT NULL CHECK (typeof(loaded) = 'integer'),
  skipped      INTEGER NOT NULL CHECK (typeof(skipped) = 'integer'),
  duplicates   INTEGER NOT NULL CHECK (typeof(duplicates) = 'integer'),
  bad          INTEGER NOT NULL CHECK (typeof(bad) = 'integer'),
  target       BLOB NOT NULL,
  source       BLOB NOT NULL,
  content_offset INTEGER NOT NULL CHECK (typeof(content_offset) = 'integer'),
  line_no      INTEGER NOT NULL CHECK (typeof(line_no) = 'integer'),
  digest       BLOB NOT NULL,
  unchanged    INTEGER NOT NULL CHECK (typeof(unchanged) = 'integer'),
  unmapped     INTEGER NOT NULL CHECK (typeof(unmapped) = 'integer'),
  unmapped_names TEXT NOT NULL,
  table_name   TEXT NOT NULL,
  witness      TEXT NOT NULL,
  PRIMARY KEY (transfer_id, step_no, file_no, byte_offset)
) WITHOUT ROWID;

CREATE INDEX IF NOT EXISTS loads_target ON loads (target, source, content_offset);

CREATE TABLE IF NOT EXISTS rejected_lines (
  transfer_id  INTEGER NOT NULL CHECK (typeof(transfer_id) = 'integer'),
  step_no      INTEGER NOT NULL CHECK (typeof(step_no) = 'integer'),
  file_no      INTEGER NOT NULL CHECK (typeof(file_no) = 'integer'),
  line         INTEGER NOT NULL CHECK (typeof(line) = 'integer'),
  reason       TEXT NOT NULL,
  content      BLOB NOT NULL,
  size         INTEGER NOT NULL CHECK (typeof(size) = 'integer'),
  PRIMARY KEY (transfer_id, step_no, file_no, line)
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS outputs (
  path_hash    BLOB NOT NULL,
  owner        TEXT NOT NULL,
  digest       TEXT NOT NULL,
  path         BLOB NOT NULL,
  PRIMARY KEY (path_hash, owner, digest)
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS tombstones (
  transfer_id  INTEGER NOT NULL PRIMARY KEY,
  uuid         TEXT NOT NULL,
  name         TEXT NOT NULL,
  run_key      TEXT NOT NULL,
  forget       BOOLEAN NOT NULL CHECK (forget IN (0, 1)),
  deleted_at   DATETIME NOT NULL CHECK (deleted_at GLOB '????-??-?? ??:??:??.[0-9][0-9][0-9][0-9][0-9][0-9]+00:00' AND date(deleted_at) IS substr(deleted_at, 1, 10)),
  purged_at    DATETIME NULL CHECK (purged_at IS NULL OR purged_at GLOB '????-??-?? ??:??:??.[0-9][0-9][0-9][0-9][0-9][0-9]+00:00' AND date(purged_at) IS substr(purged_at, 1, 10))
);

CREATE UNIQUE INDEX IF NOT EXISTS tombstones_uuid ON tombstones (uuid);

CREATE INDEX IF NOT EXISTS tombstones_purged ON tombstones (purged_at);

CREATE TABLE IF NOT EXISTS users (
  name         TEXT NOT NULL PRIMARY KEY,
  role         TEXT NOT NULL,
  password_hash TEXT NOT NULL,
  created_at DATETIME NOT NULL CHECK (created_at GLOB '????-??-?? ??:??:??.[0-9][0-9][0-9][0-9][0-9][0-9]+00:00' AND strftime('%Y-%m-%d %H:%M:%S', created_at) IS substr(created_at, 1, 19)),
  login_at DATETIME NULL CHECK (login_at IS NULL OR login_at GLOB '????-??-?? ??:??:??.[0-9][0-9][0-9][0-9][0-9][0-9]+00:00' AND strftime('%Y-%m-%d %H:%M:%S', login_at) IS substr(login_at, 1, 19))
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS api_tokens (
  name         TEXT NOT NULL PRIMARY KEY,
  role         TEXT NOT NULL,
  hash         BLOB NOT NULL,
  created_at DATETIME NOT NULL CHECK (created_at GLOB '????-??-?? ??:??:??.[0-9][0-9][0-9][0-9][0-9][0-9]+00:00' AND strftime('%Y-%m-%d %H:%M:%S', created_at) IS substr(created_at, 1, 19)),
  expires_at DATETIME NULL CHECK (expires_at IS NULL OR expires_at GLOB '????-??-?? ??:??:??.[0-9][0-9][0-9][0-9][0-9][0-9]+00:00' AND strftime('%Y-%m-%d %H:%M:%S', expires_at) IS substr(expires_at, 1, 19)),
  used_at DATETIME NULL CHECK (used_at IS NULL OR used_at GLOB '????-??-?? ??:??:??.[0-9][0-9][0-9][0-9][0-9][0-9]+00:00' AND strftime('%Y-%m-%d %H:%M:%S', used_at) IS substr(used_at, 1, 19))
) WITHOUT ROWID;

CREATE UNIQUE INDEX IF NOT EXISTS api_tokens_hash ON api_tokens (hash);

CREATE TABLE IF NOT EXISTS sessions (
  hash         BLOB NOT NULL PRIMARY KEY,
  user_name    TEXT NOT NULL,
  is_external  BOOLEAN NOT NULL CHECK (is_external IN (0, 1)),
  role         TEXT NOT NULL,
  created_at DATETIME NOT NULL CHECK (created_at GLOB '????-??-?? ??:??:??.[0-9][0-9][0-9][0-9][0-9][0-9]+00:00' AND strftime('%Y-%m-%d %H:%M:%S', created_at) IS substr(created_at, 1, 19)),
  seen_at DATETIME NOT NULL CHECK (seen_at GLOB '????-??-?? ??:??:??.[0-9][0-9][0-9][0-9][0-9][0-9]+00:00' AND strftime('%Y-%m-%d %H:%M:%S', seen_at) IS substr(seen_at, 1, 19)),
  expires_at DATETIME NOT NULL CHECK (expires_at GLOB '????-??-?? ??:??:??.[0-9][0-9][0-9][0-9][0-9][0-9]+00:00' AND strftime('%Y-%m-%d %H:%M:%S', expires_at) IS substr(expires_at, 1, 19))
) WITHOUT ROWID;

CREATE INDEX IF NOT EXISTS sessions_user ON sessions (user_name);

CREATE INDEX IF NOT EXISTS sessions_expires ON sessions (expires_at);

CREATE TABLE IF NOT EXISTS audit_log (
  id           INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
  at DATETIME NOT NULL CHECK (at GLOB '????-??-?? ??:??:??.[0-9][0-9][0-9][0-9][0-9][0-9]+00:00' AND strftime('%Y-%m-%d %H:%M:%S', at) IS substr(at, 1, 19)),
  who          TEXT NOT NULL,
  came_from    TEXT NOT NULL,
  action       TEXT NOT NULL,
  target       TEXT NOT NULL,
  transfer     TEXT NOT NULL DEFAULT '',
  result       TEXT NOT NULL CHECK (result IN ('begun', 'done', 'refused', 'failed')),
  detail       TEXT NOT NULL DEFAULT ''
);

CREATE INDEX IF NOT EXISTS audit_log_at ON audit_log (at);

CREATE INDEX IF NOT EXISTS audit_log_transfer ON audit_log (transfer, id);

CREATE TABLE IF NOT EXISTS schedules (
  name         TEXT NOT NULL PRIMARY KEY,
  cron         TEXT NOT NULL,
  zone         TEXT NOT NULL,
  overlap      TEXT NOT NULL,
  paused       BOOLEAN NOT NULL CHECK (paused IN (0, 1)),
  paths        BLOB NOT NULL,
  recipe       TEXT NOT NULL,
  queue        TEXT NOT NULL,
  weight       INTEGER NOT NULL CHECK (typeof(weight) = 'integer'),
  deadline     TEXT NOT NULL DEFAULT '',
  stop_after   TEXT NOT NULL DEFAULT '',
  created_at DATETIME NOT NULL CHECK (created_at GLOB '????-??-?? ??:??:??.[0-9][0-9][0-9][0-9][0-9][0-9]+00:00' AND strftime('%Y-%m-%d %H:%M:%S', created_at) IS substr(created_at, 1, 19)),
  due_at DATETIME NOT NULL CHECK (due_at GLOB '????-??-?? ??:??:??.[0-9][0-9][0-9][0-9][0-9][0-9]+00:00' AND strftime('%Y-%m-%d %H:%M:%S', due_at) IS substr(due_at, 1, 19)),
  asked_at DATETIME NULL CHECK (asked_at IS NULL OR asked_at GLOB '????-??-?? ??:??:??.[0-9][0-9][0-9][0-9][0-9][0-9]+00:00' AND strftime('%Y-%m-%d %H:%M:%S', asked_at) IS substr(asked_at, 1, 19)),
  starting_at DATETIME NULL CHECK (starting_at IS NULL OR starting_at GLOB '????-??-?? ??:??:??.[0-9][0-9][0-9][0-9][0-9][0-9]+00:00' AND strftime('%Y-%m-%d %H:%M:%S', starting_at) IS substr(starting_at, 1, 19)),
  last_at DATETIME NULL CHECK (last_at IS NULL OR last_at GLOB '????-??-?? ??:??:??.[0-9][0-9][0-9][0-9][0-9][0-9]+00:00' AND strftime('%Y-%m-%d %H:%M:%S', last_at) IS substr(last_at, 1, 19)),
  last_transfer TEXT NOT NULL DEFAULT '',
  last_error   TEXT NOT NULL DEFAULT ''
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS watches (
  id           BLOB NOT NULL PRIMARY KEY,
  name         BLOB NOT NULL,
  folder       BLOB NOT NULL,
  recipe       TEXT NOT NULL,
  holder       TEXT NOT NULL,
  how          TEXT NOT NULL,
  started_at DATETIME NOT NULL CHECK (started_at GLOB '????-??-?? ??:??:??.[0-9][0-9][0-9][0-9][0-9][0-9]+00:00' AND strftime('%Y-%m-%d %H:%M:%S', started_at) IS substr(started_at, 1, 19)),
  seen_at DATETIME NOT NULL CHECK (seen_at GLOB '????-??-?? ??:??:??.[0-9][0-9][0-9][0-9][0-9][0-9]+00:00' AND strftime('%Y-%m-%d %H:%M:%S', seen_at) IS substr(seen_at, 1, 19)),
  waiting      INTEGER NOT NULL CHECK (typeof(waiting) = 'integer'),
  submitted    INTEGER NOT NULL CHECK (typeof(submitted) = 'integer'),
  moved        INTEGER NOT NULL CHECK (typeof(moved) = 'integer'),
  last_at DATETIME NULL CHECK (last_at IS NULL OR last_at GLOB '????-??-?? ??:??:??.[0-9][0-9][0-9][0-9][0-9][0-9]+00:00' AND strftime('%Y-%m-%d %H:%M:%S', last_at) IS substr(last_at, 1, 19)),
  last_path    BLOB NOT NULL,
  problem      TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS watched_items (
  watch_id     BLOB NOT NULL,
  path_hash    BLOB NOT NULL,
  path         BLOB NOT NULL,
  print        TEXT NOT NULL,
  token        TEXT NOT NULL,
  stage        TEXT NOT NULL CHECK (stage IN ('submitting', 'submitted', 'moving', 'ended')),
  transfer_id  INTEGER NOT NULL CHECK (typeof(transfer_id) = 'integer'),
  target       BLOB NOT NULL,
  PRIMARY KEY (watch_id, path_hash)
) WITHOUT ROWID;

CREATE INDEX IF NOT EXISTS watched_items_stage ON watched_items (watch_id, stage, path_hash);

CREATE TABLE IF NOT EXISTS imports (
  transfer_id  INTEGER NOT NULL PRIMARY KEY,
  uuid         TEXT NOT NULL,
  started_at   DATETIME NOT NULL CHECK (started_at GLOB '????-??-?? ??:??:??.[0-9][0-9][0-9][0-9][0-9][0-9]+00:00' AND date(started_at) IS substr(started_at, 1, 10))
);

CREATE UNIQUE INDEX IF NOT EXISTS imports_uuid ON imports (uuid);

CREATE TABLE IF NOT EXISTS paused_queues (
  name         TEXT NOT NULL PRIMARY KEY,
  paused_at    DATETIME NOT NULL CHECK (paused_at GLOB '????-??-?? ??:??:??.[0-9][0-9][0-9][0-9][0-9][0-9]+00:00' AND date(paused_at) IS substr(paused_at, 1, 10))
) WITHOUT ROWID;
