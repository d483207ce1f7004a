CREATE TABLE IF NOT EXISTS transfers (
  id           BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
  uuid         CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  name         VARCHAR(255) NOT NULL,
  idem_key     VARBINARY(255) NULL,
  run_key      VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT '',
  via          VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  state        VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL CHECK (state IN ('open', 'running', 'finalizing', 'completed', 'interrupted', 'canceled')),
  queue        VARCHAR(64) NOT NULL,
  recipe       MEDIUMTEXT NOT NULL,
  sources      MEDIUMBLOB NOT NULL,
  files        BIGINT NOT NULL DEFAULT 0,
  bytes        BIGINT NOT NULL DEFAULT 0,
  finished     BIGINT NOT NULL DEFAULT 0,
  dispatched   BIGINT NOT NULL DEFAULT 0,
  dispatched_bytes BIGINT NOT NULL DEFAULT 0,
  sweep_mark   BIGINT NOT NULL DEFAULT 0,
  marked_at    DATETIME(6) NULL,
  paused_at    DATETIME(6) NULL,
  last_paused_at DATETIME(6) NULL,
  resumed_at   DATETIME(6) NULL,
  webhooks     MEDIUMTEXT NOT NULL,
  finalizing      INT NOT NULL DEFAULT 0,
  created_at   DATETIME(6) NOT NULL,
  seen_at      DATETIME(6) NOT NULL,
  sealed_at    DATETIME(6) NULL,
  ended_at     DATETIME(6) NULL,
  trouble      VARCHAR(1024) NOT NULL DEFAULT '',
  selection    MEDIUMBLOB NULL,
  producer_token BIGINT NOT NULL DEFAULT 0,
  sources_key  VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT '',
  baseline_at  DATETIME(6) NULL,
  weight       INT NOT NULL DEFAULT 1,
  stop_after   VARCHAR(32) NOT NULL DEFAULT '',
  stopped      VARCHAR(1024) NOT NULL DEFAULT '',
  webhook_events VARCHAR(512) NOT NULL DEFAULT '',
  deadline_at  DATETIME(6) NULL,
  updated_at   DATETIME(6) NULL,
  deadline_exceeded BOOLEAN NOT NULL DEFAULT 0 CHECK (deadline_exceeded IN (0, 1)),
  failing      BOOLEAN NOT NULL DEFAULT 0 CHECK (failing IN (0, 1)),
  stalled      BOOLEAN NOT NULL DEFAULT 0 CHECK (stalled IN (0, 1)),
  moved_at     DATETIME(6) NULL,
  emitted      BIGINT NOT NULL DEFAULT 0,
  emitted_registered BIGINT NOT NULL DEFAULT 0,
  intake       VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT '',
  clock_shift  BIGINT NOT NULL DEFAULT 0,
  no_reuse     BOOLEAN NOT NULL DEFAULT 0 CHECK (no_reuse IN (0, 1)),
  trace_parent VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT '',
  list_paths   BIGINT NOT NULL DEFAULT 0,
  list_digest  BINARY(32) NULL,
  journaled_at DATETIME(6) NULL,
  UNIQUE KEY transfers_uuid (uuid),
  UNIQUE KEY transfers_key (idem_key),
  KEY transfers_state (state),
  KEY transfers_run_key (run_key),
  KEY transfers_sources (sources_key)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS steps (
  transfer_id  BIGINT NOT NULL,
  no           INT NOT NULL,
  name         VARCHAR(64) NOT NULL,
  handler      VARCHAR(64) NOT NULL,
  selected       BIGINT NOT NULL DEFAULT 0,
  succeeded    BIGINT NOT NULL DEFAULT 0,
  warning      BIGINT NOT NULL DEFAULT 0,
  skipped      BIGINT NOT NULL DEFAULT 0,
  failed       BIGINT NOT NULL DEFAULT 0,
  error        BIGINT NOT NULL DEFAULT 0,
  timed_out    BIGINT NOT NULL DEFAULT 0,
  canceled     BIGINT NOT NULL DEFAULT 0,
  reused       BIGINT NOT NULL DEFAULT 0,
  seen_failures BIGINT NOT NULL DEFAULT 0,
  seen_results BIGINT NOT NULL DEFAULT 0,
  approval     VARCHAR(16) NOT NULL DEFAULT '' CHECK (approval = '' OR approval = 'waiting' OR approval = 'approved' OR approval = 'rejected'),
  limits       VARCHAR(1024) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT '',
  asked_at     DATETIME(6) NULL,
  approved_at  DATETIME(6) NULL,
  PRIMARY KEY (transfer_id, no)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS files (
  transfer_id  BIGINT NOT NULL,
  no           BIGINT NOT NULL,
  path         VARBINARY(4096) NOT NULL,
  size         BIGINT NOT NULL,
  mtime        DATETIME(6) NULL,
  scan_error      VARCHAR(512) NOT NULL DEFAULT '',
  part         BIGINT NULL,
  byte_offset      BIGINT NULL,
  line_no      BIGINT NULL,
  parent_no    BIGINT NULL,
  version      VARCHAR(128) NOT NULL DEFAULT '',
  PRIMARY KEY (transfer_id, no)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS emitted_files (
  transfer_id  BIGINT NOT NULL,
  parent_no    BIGINT NOT NULL,
  step_no      INT NOT NULL,
  name_hash    BINARY(16) NOT NULL,
  position     BIGINT NOT NULL,
  file_no      BIGINT NULL,
  top_no       BIGINT NOT NULL,
  depth        INT NOT NULL,
  name         VARBINARY(4096) NOT NULL,
  path         VARBINARY(4096) NOT NULL,
  base_length  INT NOT NULL,
  size         BIGINT NOT NULL,
  mtime        DATETIME(6) NULL,
  PRIMARY KEY (transfer_id, parent_no, step_no, name_hash),
  KEY emitted_files_file (transfer_id, file_no),
  KEY emitted_files_top (transfer_id, top_no)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS batches (
  id           BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
  transfer_id  BIGINT NOT NULL,
  step_no      INT NOT NULL,
  attempt      INT NOT NULL,
  files        MEDIUMTEXT CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  items        INT NOT NULL,
  bytes        BIGINT NOT NULL,
  queue        VARCHAR(64) NOT NULL,
  fencing_token     INT NOT NULL DEFAULT 0,
  crashes         INT NOT NULL DEFAULT 0,
  due_at       DATETIME(6) NOT NULL,
  created_at   DATETIME(6) NOT NULL,
  gathering    BOOLEAN NOT NULL DEFAULT 0 CHECK (gathering IN (0, 1)),
  held_by      VARCHAR(128) NOT NULL DEFAULT '',
  held_until   DATETIME(6) NULL,
  inherited_crashes INT NOT NULL DEFAULT 0,
  progress     TEXT NULL,
  KEY batches_transfer (transfer_id),
  KEY batches_due (gathering, due_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS results (
  transfer_id  BIGINT NOT NULL,
  step_no      INT NOT NULL,
  file_no      BIGINT NOT NULL,
  batch_id     BIGINT NOT NULL,
  outcome      VARCHAR(10) NOT NULL CHECK (outcome IN ('succeeded', 'warning', 'skipped', 'failed', 'error', 'timed_out', 'canceled')),
  exit_code    INT NOT NULL DEFAULT 0,
  code         VARCHAR(64) NOT NULL DEFAULT '',
  output       MEDIUMTEXT NOT NULL DEFAULT (''),
  error        MEDIUMTEXT NOT NULL DEFAULT (''),
  truncated    BOOLEAN NOT NULL DEFAULT 0 CHECK (truncated IN (0, 1)),
  facts        LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL CHECK (JSON_VALID(facts)),
  attempt      INT NOT NULL DEFAULT 1,
  worker       VARCHAR(128) NOT NULL,
  started_at   DATETIME(6) NOT NULL,
  ended_at     DATETIME(6) NOT NULL,
  reused_from  VARCHAR(36) CHARACTER SET ascii COLLATE ascii_bin NULL,
  reused_file  BIGINT NULL,
  ran_at       DATETIME(6) NULL,
  PRIMARY KEY (transfer_id, step_no, file_no)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS reusable_results (
  file_key     BINARY(20) NOT NULL,
  fingerprint  BINARY(16) NOT NULL,
  handler      VARCHAR(64) NOT NULL,
  transfer_id  BIGINT NOT NULL,
  step_no      INT NOT NULL,
  file_no      BIGINT NOT NULL,
  batch_id     BIGINT NOT NULL,
  ran_in       VARCHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  ran_file     BIGINT NOT NULL,
  ran_at       DATETIME(6) NOT NULL,
  PRIMARY KEY (file_key, fingerprint),
  KEY reusable_results_transfer (transfer_id),
  KEY reusable_results_handler (handler, ran_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS failures (
  transfer_id  BIGINT NOT NULL,
  step_no      INT NOT NULL,
  file_no      BIGINT NOT NULL,
  outcome      VARCHAR(10) NOT NULL CHECK (outcome IN ('succeeded', 'warning', 'skipped', 'failed', 'error', 'timed_out', 'canceled')),
  code         VARCHAR(64) NOT NULL,
  message      VARCHAR(255) NOT NULL,
  kind         BIGINT NOT NULL,
  ended_us     BIGINT NOT NULL,
  PRIMARY KEY (transfer_id, step_no, file_no),
  KEY failures_file (transfer_id, file_no, step_no)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS attempts (
  id           BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
  transfer_id  BIGINT NOT NULL,
  step_no      INT NOT NULL,
  file_no      BIGINT NOT NULL,
  batch_id     BIGINT NOT NULL,
  outcome      VARCHAR(10) NOT NULL CHECK (outcome IN ('succeeded', 'warning', 'skipped', 'failed', 'error', 'timed_out', 'canceled')),
  exit_code    INT NOT NULL,
  code         VARCHAR(64) NOT NULL,
  output       MEDIUMTEXT NOT NULL,
  error        MEDIUMTEXT NOT NULL,
  truncated    BOOLEAN NOT NULL CHECK (truncated IN (0, 1)),
  facts        LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL CHECK (JSON_VALID(facts)),
  attempt      INT NOT NULL,
  worker       VARCHAR(128) NOT NULL,
  started_at   DATETIME(6) NOT NULL,
  ended_at     DATETIME(6) NOT NULL,
  KEY attempts_file (transfer_id, step_no, file_no)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS canceled_files (
  transfer_id  BIGINT NOT NULL,
  file_no      BIGINT NOT NULL,
  PRIMARY KEY (transfer_id, file_no)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS batch_history (
  transfer_id  BIGINT NOT NULL,
  batch_id     BIGINT NOT NULL,
  step_no      INT NOT NULL,
  attempt      INT NOT NULL,
  worker       VARCHAR(128) NOT NULL,
  items        INT NOT NULL,
  failed       INT NOT NULL,
  bytes        BIGINT NOT NULL,
  created_us   BIGINT NOT NULL,
  started_us   BIGINT NOT NULL,
  ended_us     BIGINT NOT NULL,
  slowest_no   BIGINT NOT NULL,
  slowest_us   BIGINT NOT NULL,
  PRIMARY KEY (transfer_id, batch_id),
  KEY batch_history_slowest (transfer_id, slowest_us)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS activity (
  transfer_id  BIGINT NOT NULL,
  slot         BIGINT NOT NULL,
  results      BIGINT NOT NULL,
  failed       BIGINT NOT NULL,
  finished     BIGINT NOT NULL,
  bytes        BIGINT NOT NULL,
  PRIMARY KEY (transfer_id, slot)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS work_times (
  transfer_id  BIGINT NOT NULL,
  step_no      INT NOT NULL,
  worker       VARCHAR(128) NOT NULL,
  started_us   BIGINT NOT NULL,
  slots        INT NOT NULL,
  from_us      BIGINT NOT NULL,
  until_us     BIGINT NOT NULL,
  paused_us    BIGINT NOT NULL,
  approval_us  BIGINT NOT NULL,
  limits_us    BIGINT NOT NULL,
  retry_us     BIGINT NOT NULL,
  queue_us     BIGINT NOT NULL,
  no_batch_us  BIGINT NOT NULL,
  slots_us     BIGINT NOT NULL,
  loading_us   BIGINT NOT NULL,
  handler_us   BIGINT NOT NULL,
  commits_us   BIGINT NOT NULL,
  other_us     BIGINT NOT NULL,
  in_handler_us BIGINT NOT NULL,
  PRIMARY KEY (transfer_id, step_no, worker, started_us)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS seen_files (
  run_key      VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  path_hash    BINARY(20) NOT NULL,
  transfer_id  BIGINT NOT NULL,
  size         BIGINT NOT NULL,
  mtime        BIGINT NOT NULL,
  file_no      BIGINT NOT NULL DEFAULT 0,
  accepted     BOOLEAN NOT NULL DEFAULT 0 CHECK (accepted IN (0, 1)),
  was_transfer_id BIGINT NOT NULL DEFAULT 0,
  was_file_no  BIGINT NOT NULL DEFAULT 0,
  damaged      BOOLEAN NOT NULL DEFAULT 0 CHECK (damaged IN (0, 1)),
  missing      BOOLEAN NOT NULL DEFAULT 0 CHECK (missing IN (0, 1)),
  news         INT NOT NULL DEFAULT 0,
  top_no       BIGINT NOT NULL DEFAULT 0,
  PRIMARY KEY (run_key, path_hash),
  KEY seen_files_place (run_key, transfer_id, file_no)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS dead_letters (
  id           BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
  received_at  DATETIME(6) NOT NULL,
  type         VARCHAR(255) NOT NULL,
  payload      MEDIUMBLOB NOT NULL,
  reason       TEXT NOT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS workers (
  name         VARCHAR(128) NOT NULL PRIMARY KEY,
  handlers     TEXT NOT NULL,
  slots        INT NOT NULL,
  version      VARCHAR(64) NOT NULL,
  desired_state         VARCHAR(16) NOT NULL DEFAULT '',
  limits_in_use         TEXT NOT NULL,
  rates_in_use          TEXT NOT NULL,
  started_at   DATETIME(6) NOT NULL,
  seen_at      DATETIME(6) NOT NULL,
  instance     CHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT '',
  queues       TEXT NOT NULL,
  throttled    TEXT NOT NULL,
  write_us     BIGINT NOT NULL DEFAULT 0,
  host         VARCHAR(255) NOT NULL DEFAULT '',
  limits_wanted TEXT NOT NULL,
  signing_keys VARCHAR(1024) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT '',
  log_level    VARCHAR(16) NOT NULL DEFAULT ''
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS costs (
  handler      VARCHAR(64) NOT NULL,
  arguments    CHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  worker       VARCHAR(128) NOT NULL,
  sum_n2           DOUBLE NOT NULL,
  sum_nb           DOUBLE NOT NULL,
  sum_b2           DOUBLE NOT NULL,
  sum_nt           DOUBLE NOT NULL,
  sum_bt           DOUBLE NOT NULL,
  seconds      DOUBLE NOT NULL,
  updated_at   DATETIME(6) NOT NULL,
  PRIMARY KEY (handler, arguments, worker)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS limits (
  scope        VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  name         VARCHAR(64) NOT NULL,
  in_flight    INT NOT NULL,
  files_per_second DOUBLE NOT NULL,
  per_host     INT NOT NULL DEFAULT 0,
  weight       INT NOT NULL DEFAULT 0,
  configured   VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT '',
  PRIMARY KEY (scope, name)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS leases (
  name         VARCHAR(64) NOT NULL PRIMARY KEY,
  holder       VARCHAR(128) NOT NULL,
  until        DATETIME(6) NOT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS webhook_deliveries (
  id           BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
  event        CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  transfer_id  BIGINT NOT NULL,
  url          TEXT NOT NULL,
  body         MEDIUMTEXT NOT NULL,
  attempts        INT NOT NULL DEFAULT 0,
  due_at       DATETIME(6) NULL,
  created_at   DATETIME(6) NOT NULL,
  done_at      DATETIME(6) NULL,
  error        TEXT NOT NULL,
  KEY webhook_deliveries_due (due_at),
  KEY webhook_deliveries_transfer (transfer_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS finalize_steps (
  transfer_id  BIGINT NOT NULL,
  no           INT NOT NULL,
  name         VARCHAR(64) NOT NULL,
  handler      VARCHAR(64) NOT NULL,
  state        VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL CHECK (state IN ('waiting', 'running', 'done', 'failed', 'canceled')),
  event        CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT '',
  attempts        INT NOT NULL DEFAULT 0,
  fencing_token     INT NOT NULL DEFAULT 0,
  due_at       DATETIME(6) NULL,
  error        TEXT NOT NULL,
  digest       VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT '',
  inputs       VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT '',
  stale        BOOLEAN NOT NULL DEFAULT 0 CHECK (stale IN (0, 1)),
  progress     TEXT NULL,
  PRIMARY KEY (transfer_id, no),
  KEY finalize_steps_due (due_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS loads (
  transfer_id  BIGINT NOT NULL,
  step_no      INT NOT NULL,
  file_no      BIGINT NOT NULL,
  byte_offset      BIGINT NOT NULL,
  bytes        BIGINT NOT NULL,
  `lines`      BIGINT NOT NULL,
  loaded       BIGINT NOT NULL,
  skipped      BIGINT NOT NULL,
  duplicates   BIGINT NOT NULL,
  bad          BIGINT NOT NULL,
  target       VARBINARY(16) NOT NULL,
  source       VARBINARY(16) NOT NULL,
  content_offset BIGINT NOT NULL,
  line_no      BIGINT NOT NULL,
  digest       VARBINARY(16) NOT NULL,
  unchanged    BIGINT NOT NULL,
  unmapped     BIGINT NOT NULL,
  unmapped_names TEXT NOT NULL,
  table_name   VARCHAR(64) NOT NULL,
  witness      MEDIUMTEXT NOT NULL,
  PRIMARY KEY (transfer_id, step_no, file_no, byte_offset),
  KEY loads_target (target, source, content_offset)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS rejected_lines (
  transfer_id  BIGINT NOT NULL,
  step_no      INT NOT NULL,
  file_no      BIGINT NOT NULL,
  line         BIGINT NOT NULL,
  reason       VARCHAR(512) NOT NULL,
  content      VARBINARY(2048) NOT NULL,
  size         BIGINT NOT NULL,
  PRIMARY KEY (transfer_id, step_no, file_no, line)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS outputs (
  path_hash    BINARY(16) NOT NULL,
  owner        VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  digest       VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  path         VARBINARY(4096) NOT NULL,
  PRIMARY KEY (path_hash, owner, digest)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS tombstones (
  transfer_id  BIGINT NOT NULL PRIMARY KEY,
  uuid         CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  name         VARCHAR(255) NOT NULL,
  run_key      VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  forget       BOOLEAN NOT NULL CHECK (forget IN (0, 1)),
  deleted_at   DATETIME(6) NOT NULL,
  purged_at    DATETIME(6) NULL,
  UNIQUE KEY tombstones_uuid (uuid),
  KEY tombstones_purged (purged_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS users (
  name         VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
  role         VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  password_hash VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  created_at   DATETIME(6) NOT NULL,
  login_at     DATETIME(6) NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS api_tokens (
  name         VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
  role         VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  hash         BINARY(32) NOT NULL,
  created_at   DATETIME(6) NOT NULL,
  expires_at   DATETIME(6) NULL,
  used_at      DATETIME(6) NULL,
  UNIQUE KEY api_tokens_hash (hash)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS sessions (
  hash         BINARY(32) NOT NULL PRIMARY KEY,
  user_name    VARCHAR(255) NOT NULL,
  is_external  BOOLEAN NOT NULL CHECK (is_external IN (0, 1)),
  role         VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  created_at   DATETIME(6) NOT NULL,
  seen_at      DATETIME(6) NOT NULL,
  expires_at   DATETIME(6) NOT NULL,
  KEY sessions_user (user_name),
  KEY sessions_expires (expires_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS audit_log (
  id           BIGINT NOT NULL PRIMARY KEY AUTO_INCREMENT,
  at           DATETIME(6) NOT NULL,
  who          VARCHAR(255) NOT NULL,
  came_from    VARCHAR(64) NOT NULL,
  action       VARCHAR(255) NOT NULL,
  target       VARCHAR(1024) NOT NULL,
  transfer     VARCHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT '',
  result       VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL CHECK (result IN ('begun', 'done', 'refused', 'failed')),
  detail       VARCHAR(1024) NOT NULL DEFAULT '',
  KEY audit_log_at (at),
  KEY audit_log_transfer (transfer, id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS schedules (
  name         VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
  cron         VARCHAR(255) NOT NULL,
  zone         VARCHAR(64) NOT NULL,
  overlap      VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  paused       BOOLEAN NOT NULL CHECK (paused IN (0, 1)),
  paths        MEDIUMBLOB NOT NULL,
  recipe       VARCHAR(255) NOT NULL,
  queue        VARCHAR(64) NOT NULL,
  weight       INT NOT NULL,
  stop_after   VARCHAR(32) NOT NULL DEFAULT '',
  deadline     VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT '',
  created_at   DATETIME(6) NOT NULL,
  due_at       DATETIME(6) NOT NULL,
  asked_at     DATETIME(6) NULL,
  starting_at  DATETIME(6) NULL,
  last_at      DATETIME(6) NULL,
  last_transfer VARCHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT '',
  last_error   VARCHAR(1024) NOT NULL DEFAULT ''
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS watches (
  id           BINARY(16) NOT NULL PRIMARY KEY,
  name         BLOB NOT NULL,
  folder       BLOB NOT NULL,
  recipe       VARCHAR(255) NOT NULL,
  holder       VARCHAR(255) NOT NULL,
  how          VARCHAR(255) NOT NULL,
  started_at   DATETIME(6) NOT NULL,
  seen_at      DATETIME(6) NOT NULL,
  waiting      BIGINT NOT NULL,
  submitted    BIGINT NOT NULL,
  moved        BIGINT NOT NULL,
  last_at      DATETIME(6) NULL,
  last_path    BLOB NOT NULL,
  problem      VARCHAR(1024) NOT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS watched_items (
  watch_id     BINARY(16) NOT NULL,
  path_hash    BINARY(16) NOT NULL,
  path         BLOB NOT NULL,
  print        VARCHAR(128) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  token        VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  stage        VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  transfer_id  BIGINT NOT NULL,
  target       BLOB NOT NULL,
  PRIMARY KEY (watch_id, path_hash),
  KEY watched_items_stage (watch_id, stage, path_hash)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS imports (
  transfer_id  BIGINT NOT NULL PRIMARY KEY,
  uuid         CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  started_at   DATETIME(6) NOT NULL,
  UNIQUE KEY imports_uuid (uuid)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS paused_queues (
  name         VARCHAR(64) NOT NULL PRIMARY KEY,
  paused_at    DATETIME(6) NOT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
