CREATE TABLE IF NOT EXISTS transfers (
  id           INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
  uuid         TEXT NOT NULL,
  name         TEXT NOT NULL,
  idem_key     BLOB NULL,
  run_key      TEXT NOT NULL DEFAULT '',
  via          TEXT NOT NULL,
  state        TEXT NOT NULL,
  queue        TEXT NOT NULL,
  recipe       TEXT NOT NULL,
  sources      BLOB NOT NULL,
  files        INTEGER NOT NULL DEFAULT 0,
  bytes        INTEGER NOT NULL DEFAULT 0,
  finished     INTEGER NOT NULL DEFAULT 0,
  dispatched   INTEGER NOT NULL DEFAULT 0,
  dispatched_bytes INTEGER NOT NULL DEFAULT 0,
  sweep_mark   INTEGER NOT NULL DEFAULT 0,
  marked_at    DATETIME NULL,
  paused_at    DATETIME NULL,
  webhooks     TEXT NOT NULL,
  finalizing      INTEGER NOT NULL DEFAULT 0,
  created_at   DATETIME NOT NULL,
  seen_at      DATETIME NOT NULL,
  sealed_at    DATETIME NULL,
  ended_at     DATETIME NULL,
  trouble      TEXT NOT NULL DEFAULT '',
  selection    BLOB NULL,
  producer_token INTEGER NOT NULL DEFAULT 0,
  weight       INTEGER NOT NULL DEFAULT 1
);

CREATE UNIQUE INDEX IF NOT EXISTS transfers_uuid ON transfers (uuid);

CREATE UNIQUE INDEX IF NOT EXISTS transfers_key ON transfers (idem_key);

CREATE INDEX IF NOT EXISTS transfers_state ON transfers (state);

CREATE INDEX IF NOT EXISTS transfers_run_key ON transfers (run_key);

CREATE TABLE IF NOT EXISTS steps (
  transfer_id  INTEGER NOT NULL,
  no           INTEGER NOT NULL,
  name         TEXT NOT NULL,
  handler      TEXT NOT NULL,
  selected       INTEGER NOT NULL DEFAULT 0,
  succeeded    INTEGER NOT NULL DEFAULT 0,
  warning      INTEGER NOT NULL DEFAULT 0,
  skipped      INTEGER NOT NULL DEFAULT 0,
  failed       INTEGER NOT NULL DEFAULT 0,
  error        INTEGER NOT NULL DEFAULT 0,
  timed_out    INTEGER NOT NULL DEFAULT 0,
  canceled     INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (transfer_id, no)
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS files (
  transfer_id  INTEGER NOT NULL,
  no           INTEGER NOT NULL,
  path         BLOB NOT NULL,
  size         INTEGER NOT NULL,
  mtime        DATETIME NULL,
  scan_error      TEXT NOT NULL DEFAULT '',
  part         INTEGER NULL,
  byte_offset      INTEGER NULL,
  line_no      INTEGER NULL,
  PRIMARY KEY (transfer_id, no)
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS batches (
  id           INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
  transfer_id  INTEGER NOT NULL,
  step_no      INTEGER NOT NULL,
  attempt      INTEGER NOT NULL,
  files        TEXT NOT NULL,
  items        INTEGER NOT NULL,
  bytes        INTEGER NOT NULL,
  queue        TEXT NOT NULL,
  fencing_token     INTEGER NOT NULL DEFAULT 0,
  crashes         INTEGER NOT NULL DEFAULT 0,
  due_at       DATETIME NOT NULL,
  created_at   DATETIME NOT NULL,
  gathering    BOOLEAN NOT NULL DEFAULT 0,
  held_by      TEXT NOT NULL DEFAULT '',
  held_until   DATETIME NULL,
  inherited_crashes INTEGER NOT NULL DEFAULT 0
);

CREATE INDEX IF NOT EXISTS batches_transfer ON batches (transfer_id);

CREATE INDEX IF NOT EXISTS batches_due ON batches (gathering, due_at);

CREATE TABLE IF NOT EXISTS results (
  transfer_id  INTEGER NOT NULL,
  step_no      INTEGER NOT NULL,
  file_no      INTEGER NOT NULL,
  batch_id     INTEGER NOT NULL,
  outcome      TEXT NOT NULL,
  exit_code    INTEGER NOT NULL DEFAULT 0,
  code         TEXT NOT NULL DEFAULT '',
  output       TEXT NOT NULL DEFAULT '',
  error        TEXT NOT NULL DEFAULT '',
  truncated    BOOLEAN NOT NULL DEFAULT 0,
  facts        TEXT NULL,
  attempt      INTEGER NOT NULL DEFAULT 1,
  worker       TEXT NOT NULL,
  started_at   DATETIME NOT NULL,
  ended_at     DATETIME NOT NULL,
  PRIMARY KEY (transfer_id, step_no, file_no)
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS failures (
  transfer_id  INTEGER NOT NULL,
  step_no      INTEGER NOT NULL,
  file_no      INTEGER NOT NULL,
  outcome      TEXT NOT NULL,
  code         TEXT NOT NULL,
  message      TEXT NOT NULL,
  PRIMARY KEY (transfer_id, step_no, file_no)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS failures_file ON failures (transfer_id, file_no, step_no);

CREATE TABLE IF NOT EXISTS attempts (
  id           INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
  transfer_id  INTEGER NOT NULL,
  step_no      INTEGER NOT NULL,
  file_no      INTEGER NOT NULL,
  batch_id     INTEGER NOT NULL,
  outcome      TEXT NOT NULL,
  exit_code    INTEGER NOT NULL,
  code         TEXT NOT NULL,
  output       TEXT NOT NULL,
  error        TEXT NOT NULL,
  truncated    BOOLEAN NOT NULL,
  facts        TEXT NULL,
  attempt      INTEGER NOT NULL,
  worker       TEXT NOT NULL,
  started_at   DATETIME NOT NULL,
  ended_at     DATETIME NOT NULL
);

CREATE INDEX IF NOT EXISTS attempts_file ON attempts (transfer_id, step_no, file_no);

CREATE TABLE IF NOT EXISTS seen_files (
  run_key      TEXT NOT NULL,
  path_hash    BLOB NOT NULL,
  transfer_id  INTEGER NOT NULL,
  size         INTEGER NOT NULL,
  mtime        INTEGER NOT NULL,
  file_no      INTEGER NOT NULL DEFAULT 0,
  accepted     BOOLEAN NOT NULL DEFAULT 0,
  was_transfer_id INTEGER NOT NULL DEFAULT 0,
  was_file_no  INTEGER NOT NULL DEFAULT 0,
  damaged      BOOLEAN NOT NULL DEFAULT 0,
  PRIMARY KEY (run_key, path_hash)
) WITHOUT ROWID;

CREATE INDEX IF NOT EXISTS seen_files_place ON seen_files (run_key, transfer_id, file_no);

CREATE INDEX IF NOT EXISTS seen_files_damaged ON seen_files (run_key) WHERE damaged = 1;

CREATE TABLE IF NOT EXISTS dead_letters (
  id           INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
  received_at  DATETIME NOT NULL,
  type         TEXT NOT NULL,
  payload      BLOB NOT NULL,
  reason       TEXT NOT NULL
);

CREATE TABLE IF NOT EXISTS workers (
  name         TEXT NOT NULL PRIMARY KEY,
  handlers     TEXT NOT NULL,
  slots        INTEGER NOT NULL,
  version      TEXT NOT NULL,
  desired_state         TEXT NOT NULL DEFAULT '',
  limits_in_use         TEXT NOT NULL,
  started_at   DATETIME NOT NULL,
  seen_at      DATETIME NOT NULL,
  instance     TEXT NOT NULL DEFAULT '',
  queues       TEXT NOT NULL,
  throttled    TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS costs (
  handler      TEXT NOT NULL,
  arguments    TEXT NOT NULL,
  worker       TEXT NOT NULL,
  sum_n2           REAL NOT NULL,
  sum_nb           REAL NOT NULL,
  sum_b2           REAL NOT NULL,
  sum_nt           REAL NOT NULL,
  sum_bt           REAL NOT NULL,
  seconds      REAL NOT NULL,
  updated_at   DATETIME NOT NULL,
  PRIMARY KEY (handler, arguments, worker)
);

CREATE TABLE IF NOT EXISTS limits (
  scope        TEXT NOT NULL,
  name         TEXT NOT NULL,
  in_flight    INTEGER NOT NULL,
  files_per_second REAL NOT NULL,
  PRIMARY KEY (scope, name)
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS leases (
  name         TEXT NOT NULL PRIMARY KEY,
  holder       TEXT NOT NULL,
  until        DATETIME NOT NULL
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS webhook_deliveries (
  id           INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
  event        TEXT NOT NULL,
  transfer_id  INTEGER NOT NULL,
  url          TEXT NOT NULL,
  body         TEXT NOT NULL,
  attempts        INTEGER NOT NULL DEFAULT 0,
  due_at       DATETIME NULL,
  created_at   DATETIME NOT NULL,
  done_at      DATETIME NULL,
  error        TEXT NOT NULL
);

CREATE INDEX IF NOT EXISTS webhook_deliveries_due ON webhook_deliveries (due_at);

CREATE INDEX IF NOT EXISTS webhook_deliveries_transfer ON webhook_deliveries (transfer_id);

CREATE TABLE IF NOT EXISTS finalize_steps (
  transfer_id  INTEGER NOT NULL,
  no           INTEGER NOT NULL,
  name         TEXT NOT NULL,
  handler      TEXT NOT NULL,
  state        TEXT NOT NULL,
  event        TEXT NOT NULL DEFAULT '',
  attempts        INTEGER NOT NULL DEFAULT 0,
  fencing_token     INTEGER NOT NULL DEFAULT 0,
  due_at       DATETIME NULL,
  error        TEXT NOT NULL,
  digest       TEXT NOT NULL DEFAULT '',
  stale        BOOLEAN NOT NULL DEFAULT 0,
  PRIMARY KEY (transfer_id, no)
) WITHOUT ROWID;

CREATE INDEX IF NOT EXISTS finalize_steps_due ON finalize_steps (due_at);

CREATE TABLE IF NOT EXISTS loads (
  transfer_id  INTEGER NOT NULL,
  step_no      INTEGER NOT NULL,
  file_no      INTEGER NOT NULL,
  byte_offset      INTEGER NOT NULL,
  bytes        INTEGER NOT NULL,
  lines        INTEGER NOT NULL,
  loaded       INTEGER NOT NULL,
  skipped      INTEGER NOT NULL,
  duplicates   INTEGER NOT NULL,
  bad          INTEGER NOT NULL,
  target       BLOB NOT NULL,
  source       BLOB NOT NULL,
  content_offset INTEGER NOT NULL,
  line_no      INTEGER NOT NULL,
  digest       BLOB NOT NULL,
  unchanged    INTEGER NOT NULL,
  unmapped     INTEGER NOT NULL,
  unmapped_names TEXT NOT NULL,
  table_name   TEXT NOT NULL,
  PRIMARY KEY (transfer_id, step_no, file_no, byte_offset)
) WITHOUT ROWID;

CREATE INDEX IF NOT EXISTS loads_target ON loads (target, source, content_offset);

CREATE TABLE IF NOT EXISTS rejected_lines (
  transfer_id  INTEGER NOT NULL,
  step_no      INTEGER NOT NULL,
  file_no      INTEGER NOT NULL,
  line         INTEGER NOT NULL,
  reason       TEXT NOT NULL,
  content      BLOB NOT NULL,
  size         INTEGER NOT NULL,
  PRIMARY KEY (transfer_id, step_no, file_no, line)
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS outputs (
  path_hash    BLOB NOT NULL,
  owner        TEXT NOT NULL,
  digest       TEXT NOT NULL,
  path         BLOB NOT NULL,
  written_at   DATETIME NOT NULL,
  PRIMARY KEY (path_hash, owner, digest)
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS tombstones (
  transfer_id  INTEGER NOT NULL PRIMARY KEY,
  uuid         TEXT NOT NULL,
  name         TEXT NOT NULL,
  run_key      TEXT NOT NULL,
  forget       BOOLEAN NOT NULL,
  deleted_at   DATETIME NOT NULL,
  purged_at    DATETIME NULL
);

CREATE UNIQUE INDEX IF NOT EXISTS tombstones_uuid ON tombstones (uuid);

CREATE INDEX IF NOT EXISTS tombstones_purged ON tombstones (purged_at);
