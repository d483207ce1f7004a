package config

import (
	"slices"
	"strings"
)

// Setting describes one setting.
type Setting struct {
	Key      string // in the file, such as "worker.concurrency"; * is a handler's name
	Variable string // in the environment; empty without one
	Default  string // as it is written; empty without one
	kind     valueType
	Help     string // what it does, for the documentation
}

// Unit is the kind of value: "time", "bytes", "number" and so on.
func (s Setting) Unit() string { return s.kind.unit }

// ConfigVariable is the environment variable with the path of the configuration file.
const ConfigVariable = "BALER_CONFIG"

// testVariables is the prefix of variables for Baler's own tests.
const testVariables = "BALER_TEST_"

// Settings lists all settings, in the order of the documentation.
func Settings() []Setting {
	return slices.Concat(services(), work(), queues(), site(), surface(), openID(), clients())
}

func services() []Setting {
	return []Setting{
		{"redis.url", "BALER_REDIS_URL", "embedded", text(),
			"The queue: `embedded` (inside the process), `redis://host:6379/0`, `redis-sentinel://h1,h2/0?master=NAME`, " +
				"`redis-cluster://h1,h2`, the same with `rediss` for TLS, or `unix:///PATH?db=0`."},
		{"redis.pool_size", "BALER_REDIS_POOL_SIZE", "", number(),
			"Connections to Redis; the client chooses when not set."},
		{"redis.allow_eviction", "BALER_REDIS_ALLOW_EVICTION", "false", flag(),
			"Let workers start although Redis drops messages when its memory is full (`maxmemory-policy` is not `noeviction`)."},
		{"redis.username", "BALER_REDIS_USERNAME", "", text(),
			"User of the Redis servers, if `redis.url` has none. With Sentinel, the user in the URL is that of the sentinels."},
		{"redis.password", "BALER_REDIS_PASSWORD", "", text(),
			"Password of the Redis servers, like `redis.username`."},
		{"redis.signing_keys", "BALER_REDIS_SIGNING_KEYS", "", names(),
			"Keys that sign queue messages, each of 32 characters or more (`openssl rand -hex 32`), the same for all processes. " +
				"The first one signs; messages that none of them has signed are refused. Off when not set. See [security](security.md)."},
		{"redis.signing_keys_file", "BALER_REDIS_SIGNING_KEYS_FILE", "", text(),
			"File with these keys, one a line, if `redis.signing_keys` is not set. Lines that begin with `#` are comments."},
		{"redis.tls.ca", "BALER_REDIS_TLS_CA", "", text(),
			"File (PEM) with the authorities that sign the certificates of Redis; those of the host when not set."},
		{"redis.tls.cert", "BALER_REDIS_TLS_CERT", "", text(),
			"File (PEM) with the certificate that Baler shows to Redis."},
		{"redis.tls.key", "BALER_REDIS_TLS_KEY", "", text(),
			"File (PEM) with the key of that certificate."},
		{"database.url", "BALER_DATABASE_URL", "sqlite:STATE_DIR/baler.db", text(),
			"The system of record: `sqlite:PATH` or `mysql://user:password@host:3306/name?…`, " +
				"with a socket `mysql://user:password@/name?socket=PATH`."},
		{"database.replica_url", "BALER_DATABASE_REPLICA_URL", "", text(),
			"A replica of a MySQL `database.url`, from which `baler serve` reads its pages while it is at most 30 seconds behind. " +
				"Commands and the HTTP API always read `database.url`."},
		{"database.auto_migrate", "BALER_DATABASE_AUTO_MIGRATE", "true", flag(),
			"Apply pending migrations at start. When false, run `baler migrate`."},
		{"database.max_connections", "BALER_DATABASE_MAX_CONNECTIONS", "", number(),
			"Connections to the database; chosen by the kind of database when not set. " +
				"`baler serve` has up to half as many more to MySQL, to show pages."},
		{"database.tls.ca", "BALER_DATABASE_TLS_CA", "", text(),
			"File (PEM) with the authorities that sign the certificate of MySQL; those of the host when not set. " +
				"Any of the three files turns TLS on."},
		{"database.tls.cert", "BALER_DATABASE_TLS_CERT", "", text(),
			"File (PEM) with the certificate that Baler shows to MySQL."},
		{"database.tls.key", "BALER_DATABASE_TLS_KEY", "", text(),
			"File (PEM) with the key of that certificate."},
		{"roots", "BALER_ROOTS", "", folders(),
			"Folders that workers may read, absolute, and addresses in object storage such as `s3://bucket/prefix`. " +
				"In the variable they are separated as in `PATH`. " +
				"Needed by workers on a queue or database that others share, and for lists of paths; " +
				"without any, other workers read only the sources of each transfer."},
		{"outputs", "BALER_OUTPUTS", "", folders(),
			"Folders below which handlers and final steps may write, absolute, and addresses in object storage, " +
				"where handlers such as `copy` write. Without any, a worker's final steps write nothing, " +
				"and those of `baler run` write wherever the user may. " +
				"A relative path of a transfer is below the first folder, in one with the transfer's id as its name."},
		{"state_dir", "BALER_STATE_DIR", "$XDG_STATE_HOME/baler, else ~/.local/state/baler", text(),
			"Folder of the embedded default's database, absolute. On Windows the default is `%LOCALAPPDATA%\\baler`."},
	}
}

func work() []Setting {
	return []Setting{
		{"worker.name", "BALER_WORKER_NAME", "host name and process number", text(),
			"The worker's name in results and on the dashboard."},
		{"worker.host", "BALER_WORKER_HOST", "host name", text(),
			"Name of the host, which workers on it share with their [limits](scaling.md#doing-less) by host. " +
				"Set it where each worker has a host name of its own, as in containers."},
		{"worker.concurrency", "BALER_WORKER_CONCURRENCY", "2 × processors, at least 4", number(),
			"Batches that one worker processes at once."},
		{"worker.slots", "BALER_WORKER_SLOTS", "processors", number(),
			"Capacity that handlers share: a handler takes one slot, several or all."},
		{"worker.interval", "BALER_WORKER_INTERVAL", "25ms", duration(),
			"Time between two checks of an empty queue by a worker."},
		{"worker.grace", "BALER_WORKER_GRACE", "30s", duration(),
			"Time to finish running batches after a stop signal; the rest returns to the queue."},
		{"worker.queues", "BALER_WORKER_QUEUES", "default=1", priorities(),
			"Queues to work on with their priorities. In the variable: `default=3,low=1`."},
		{"worker.admin_listen", "BALER_WORKER_ADMIN_LISTEN", "127.0.0.1:0", text(),
			"Address where `baler worker` serves `/metrics`, `/healthz` and `/readyz`, such as `:9464`; `off` for none. " +
				"By default a free port of this host, which the log names."},
		{"worker.profile", "BALER_WORKER_PROFILE", "false", flag(),
			"Serve profiles of the worker at `/debug/pprof/` of its admin address."},
		{"worker.recipes", "BALER_WORKER_RECIPES", "", folders(),
			"Absolute folders with recipes, which only the operator may be able to write to. `exec` and `coprocess` run the programs of " +
				"these recipes; files of other recipes end with `commands-not-allowed`. `baler run` always runs the programs of its own recipe."},
		{"worker.max_copy", "BALER_WORKER_MAX_COPY", "10GiB", size(),
			"Largest object in object storage that is copied to this host for programs (`exec`, `coprocess`), " +
				"into the folder of temporary files (`TMPDIR`)."},
		{"worker.min_free", "BALER_WORKER_MIN_FREE", "256MiB", size(),
			"What `extract` leaves free on the disk that it writes to. All archives that a worker takes apart at the same time count together; " +
				"one that finds too little room ends with `no-space`, an error that is tried again."},
		{"worker.allow_commands", "BALER_WORKER_ALLOW_COMMANDS", "false", flag(),
			"Run the programs of every recipe: then everybody who may submit may run any program as the worker's user."},
		{"dispatch.window", "BALER_DISPATCH_WINDOW", "64", number(),
			"Unfinished batches a transfer may have in the queue, but at least two for each that the workers can run at once."},
		{"dispatch.interval", "BALER_DISPATCH_INTERVAL", "100ms", duration(),
			"Time between two rounds of the dispatcher, which batches registered files."},
		{"dispatch.lag", "BALER_DISPATCH_LAG", "2m", duration(),
			"How long a file may wait in a group before the dispatcher batches it."},
		{"dispatch.resend", "BALER_DISPATCH_RESEND", "15s", duration(),
			"How long a batch may be unfinished before the dispatcher checks that the queue still has it."},
	}
}

func queues() []Setting {
	return []Setting{
		{"group.max_size", "BALER_GROUP_MAX_SIZE", "5000", number(),
			"Files that a worker collects from the groups of a handler at a time."},
		{"group.grace", "BALER_GROUP_GRACE", "1s", duration(),
			"How often asynq checks for groups that no worker has collected and that have got no file for this time; at least 1s."},
		{"group.max_delay", "BALER_GROUP_MAX_DELAY", "500ms", duration(),
			"How long a file by group waits for others, from its arrival; at least 50ms."},
		{"group.limit", "BALER_GROUP_LIMIT", "100000", number(),
			"Files that may wait in groups before producers must wait."},
		{"batch.max_items", "BALER_BATCH_MAX_ITEMS", "128", number(),
			"Files in a batch at most."},
		{"batch.max_bytes", "BALER_BATCH_MAX_BYTES", "256MiB", size(),
			"Bytes in a batch at most; a larger file goes alone."},
		{"batch.max_delay", "BALER_BATCH_MAX_DELAY", "1s", duration(),
			"How long the first file of a batch waits for others."},
		{"batch.target", "BALER_BATCH_TARGET", "", duration(),
			"How long a batch should take: Baler chooses its size from learned costs, within the other limits. Off when not set."},
		{"limits", "BALER_LIMITS", "", bounds(),
			"[Limits](scaling.md#doing-less) of all workers together by name, such as `{gpu: 2, s3: 50/s, \"handler:exec\": 1/host}`: " +
				"batches at once, files a second, or batches at once on one host. " +
				"A worker that starts sets those that have changed in its configuration; " +
				"`baler limit` changes them while workers run. In the variable: `gpu=2,s3=50/s`."},
		{"record.max_items", "BALER_RECORD_MAX_ITEMS", "1000", number(),
			"Results written in one transaction at most."},
		{"record.max_delay", "BALER_RECORD_MAX_DELAY", "250ms", duration(),
			"How long a result waits for others before it is written."},
		{"record.flushers", "BALER_RECORD_FLUSHERS", "2", number(),
			"Transactions that write results at the same time, at most."},
		{"record.max_output", "BALER_RECORD_MAX_OUTPUT", "64KiB", size(),
			"Output kept per file and step; of longer output, the head and the tail."},
	}
}

func site() []Setting {
	return []Setting{
		{"handlers.*.batch.max_items", "", "", number(),
			"`batch.max_items` for this handler."},
		{"handlers.*.batch.max_bytes", "", "", size(),
			"`batch.max_bytes` for this handler."},
		{"handlers.*.batch.max_delay", "", "", duration(),
			"`batch.max_delay` for this handler."},
		{"handlers.*.batch.target", "", "", duration(),
			"`batch.target` for this handler."},
		{"handlers.*.timeout", "", "", duration(),
			"Time limit for one file, from when work on it begins, or for one attempt of a final step; the handler's default when not set."},
		{"handlers.*.batch_timeout", "", "", duration(),
			"Time limit for all files of a batch together; the handler's default when not set."},
		{"handlers.*.retry.attempts", "", "", number(),
			"Attempts per file, including the first; the handler's default when not set."},
		{"handlers.*.retry.backoff", "", "", duration(),
			"Delay before the second attempt; doubled for each further one."},
		{"handlers.*.retry.max_backoff", "", "", duration(),
			"Longest delay before an attempt."},
	}
}

func surface() []Setting {
	return []Setting{
		{"retention.older_than", "BALER_RETENTION_OLDER_THAN", "", duration(),
			"Age, such as `90d`, at which ended transfers are deleted, with their files and results. Off when not set."},
		{"retention.keep_last", "BALER_RETENTION_KEEP_LAST", "", number(),
			"Number of the newest transfers to keep, however old they are."},
		{"retention.failed_too", "BALER_RETENTION_FAILED_TOO", "false", flag(),
			"Also delete transfers with failed files or final steps."},
		{"journal.dir", "BALER_JOURNAL_DIR", "", text(),
			"Absolute folder, which exists, to which workers and servers write every transfer that has ended, for `baler import`. " +
				"Off when not set. See [the journal](export.md#the-journal)."},
		{"journal.max_size", "BALER_JOURNAL_MAX_SIZE", "1GiB", size(),
			"Size at which a new journal file is begun; each gets at least one transfer."},
		{"journal.compression", "BALER_JOURNAL_COMPRESSION", "zstd", text(),
			"`zstd`, `gzip` or `none`, for new journal files."},
		{"journal.keep", "BALER_JOURNAL_KEEP", "", duration(),
			"Age, such as `400d`, at which journal files are deleted. Never when not set."},
		{"webhook.urls", "BALER_WEBHOOK_URLS", "", addresses(),
			"Addresses to notify of what happens to any transfer, in addition to those of the submission: `https://…`, `slack+https://…`, " +
				"`teams+https://…` or `mailto:name@host`."},
		{"webhook.events", "BALER_WEBHOOK_EVENTS", "", names(),
			"What transfers that are submitted here notify of, such as `transfer.failing,transfer.completed`. All events when not set."},
		{"webhook.stall_after", "BALER_WEBHOOK_STALL_AFTER", "1h", duration(),
			"How long a transfer records no result before `transfer.stalled` is sent; longer than the longest file takes."},
		{"webhook.subject", "BALER_WEBHOOK_SUBJECT", "", text(),
			"Template (Go's `text/template`) of the subject of mail."},
		{"webhook.text", "BALER_WEBHOOK_TEXT", "", text(),
			"Template of the text of mail, Slack and Teams."},
		{"webhook.secret", "BALER_WEBHOOK_SECRET", "", text(),
			"Signs webhooks: `whsec_` and the key as base64, or any other text, used as bytes. No signature when not set."},
		{"webhook.networks", "BALER_WEBHOOK_NETWORKS", "", networks(),
			"Networks that webhooks may reach although they are not public: addresses or prefixes, such as `10.1.0.0/16` or `127.0.0.1`."},
		{"smtp.address", "BALER_SMTP_ADDRESS", "", text(),
			"Mail server that sends the notifications to `mailto:` addresses, as `host:port`. Off when not set."},
		{"smtp.username", "BALER_SMTP_USERNAME", "", text(),
			"User at the mail server, if it asks for one."},
		{"smtp.password", "BALER_SMTP_PASSWORD", "", text(),
			"Password of that user."},
		{"smtp.password_file", "BALER_SMTP_PASSWORD_FILE", "", text(),
			"File with the password, instead of `smtp.password`."},
		{"smtp.from", "BALER_SMTP_FROM", "", text(),
			"Sender of the mail, such as `baler@example.org`."},
		{"smtp.tls", "BALER_SMTP_TLS", "starttls", text(),
			"`starttls` (required), `tls` from the first byte, or `none`, as for a server on this host."},
		{"smtp.domains", "BALER_SMTP_DOMAINS", "", names(),
			"Domains that get mail, besides that of `smtp.from`: everybody who may submit names addresses."},
		{"http.listen", "BALER_HTTP_LISTEN", "127.0.0.1:8080", text(),
			"Address of the API, the dashboard and the monitor. Addresses other than loopback need accounts or a token."},
		{"http.token", "BALER_HTTP_TOKEN", "", text(),
			"Secret that every request must have, as a bearer token or as the password of any user. `/healthz` and `/readyz` need none."},
		{"http.token_file", "BALER_HTTP_TOKEN_FILE", "", text(),
			"File with the token, instead of `http.token`."},
		{"http.insecure", "BALER_HTTP_INSECURE", "false", flag(),
			"Let other hosts connect without accounts and token: they can read everything, and change nothing."},
		{"http.hosts", "BALER_HTTP_HOSTS", "", names(),
			"Names by which browsers and programs reach `serve`. Those of loopback, the one in `http.listen`, " +
				"and IP addresses need not be named."},
		{"http.monitor_read_only", "BALER_HTTP_MONITOR_READ_ONLY", "true", flag(),
			"The queue monitor only displays. When false, everybody who may see it may also run, archive and delete messages."},
		{"http.requests_per_second", "BALER_HTTP_REQUESTS_PER_SECOND", "100", number(),
			"How many requests a second one address may make to the API, with bursts of twice as many."},
		{"http.tls.cert", "BALER_HTTP_TLS_CERT", "", text(),
			"File (PEM) with the certificate of `serve`, followed by those of its authorities: " +
				"`serve` then speaks HTTPS only. It is read again when it changes."},
		{"http.tls.key", "BALER_HTTP_TLS_KEY", "", text(),
			"File (PEM) with the key of that certificate."},
		{"http.url", "BALER_HTTP_URL", "", text(),
			"Address by which people reach `serve`, such as `https://baler.example.org`, when it is not its own."},
		{"http.ask_login", "BALER_HTTP_ASK_LOGIN", "false", flag(),
			"Ask for a login or a token on loopback addresses too, as behind a proxy on the same host."},
		{"http.session_idle", "BALER_HTTP_SESSION_IDLE", "12h", duration(),
			"Time after which a login that nobody uses ends."},
		{"http.session_life", "BALER_HTTP_SESSION_LIFE", "7d", duration(),
			"Time after which every login ends."},
	}
}

// openID are the settings of logins at a provider.
func openID() []Setting {
	return []Setting{
		{"http.openid.issuer", "BALER_HTTP_OPENID_ISSUER", "", text(),
			"Address of an OpenID provider at which people log in. Off when not set."},
		{"http.openid.client_id", "BALER_HTTP_OPENID_CLIENT_ID", "", text(),
			"Name of this server at the provider."},
		{"http.openid.client_secret_file", "BALER_HTTP_OPENID_CLIENT_SECRET_FILE", "", text(),
			"File with the secret of this server at the provider."},
		{"http.openid.scopes", "BALER_HTTP_OPENID_SCOPES", "", names(),
			"Scopes to ask for, besides `openid` and `profile`."},
		{"http.openid.role_claim", "BALER_HTTP_OPENID_ROLE_CLAIM", "groups", text(),
			"Claim that gives people their role."},
		{"http.openid.viewers", "BALER_HTTP_OPENID_VIEWERS", "", names(),
			"Values of the claim that make somebody a viewer; `*`: everybody whom the provider knows."},
		{"http.openid.submitters", "BALER_HTTP_OPENID_SUBMITTERS", "", names(),
			"Values of the claim that make somebody a submitter."},
		{"http.openid.operators", "BALER_HTTP_OPENID_OPERATORS", "", names(),
			"Values of the claim that make somebody an operator."},
	}
}

// clients are the settings of logs, and of commands that speak to a server.
func clients() []Setting {
	return []Setting{
		{"audit.keep", "BALER_AUDIT_KEEP", "365d", duration(),
			"Age, such as `90d`, at which lines of the audit log are deleted."},
		{"server", "BALER_SERVER", "", text(),
			"URL of a `baler serve`. Commands speak to it instead of to Redis and the database."},
		{"token", "BALER_TOKEN", "", text(),
			"Token that commands send to that server."},
		{"token_file", "BALER_TOKEN_FILE", "", text(),
			"File with the token, if `token` is not set."},
		{"server_ca", "BALER_SERVER_CA", "", text(),
			"File (PEM) with the authorities that sign the certificate of that server; those of the host when not set."},
		{"log.level", "BALER_LOG_LEVEL", "info", text(),
			"`debug`, `info`, `warn` or `error`."},
		{"log.format", "BALER_LOG_FORMAT", "text", text(),
			"`text` for people, `json` for machines."},
		{"trace.endpoint", "BALER_TRACE_ENDPOINT", "", text(),
			"Address of an OpenTelemetry collector (OTLP over HTTP), such as `http://localhost:4318`, that gets traces; " +
				"none are made when not set. `OTEL_EXPORTER_OTLP_ENDPOINT` and OpenTelemetry's other variables work too."},
	}
}

// catalog is a list of settings with lookup by key.
type catalog []Setting

// find returns the setting that a path names.
func (c catalog) find(path []string) (Setting, bool) {
	for _, s := range c {
		if parts := strings.Split(s.Key, "."); len(parts) == len(path) && leads(parts, path) {
			return s, true
		}
	}
	return Setting{}, false
}

// below lists the names that may follow a path, "*" for any handler's name. It is
// empty for an unknown path.
func (c catalog) below(path []string) []string {
	var names []string
	for _, s := range c {
		parts := strings.Split(s.Key, ".")
		if len(parts) > len(path) && leads(parts, path) && !slices.Contains(names, parts[len(path)]) {
			names = append(names, parts[len(path)])
		}
	}
	return names
}

// leads reports whether a setting's key begins with the path.
func leads(key, path []string) bool {
	for i, part := range path {
		if key[i] != part && key[i] != "*" {
			return false
		}
	}
	return true
}
