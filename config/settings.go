package config

import (
	"slices"
	"strings"
)

// Setting describes one thing that can be set.
type Setting struct {
	Key      string // in the file, as "worker.concurrency"; * stands for a handler's name
	Variable string // in the environment; empty when only the file can set it
	Default  string // as a person would write it; empty when there is none
	Help     string // what it does, one line
	kind     kind
}

// Unit says what kind of value it takes: "time", "bytes", "number" and so on.
func (s Setting) Unit() string { return s.kind.unit }

// ConfigVariable names the configuration file in the environment.
const ConfigVariable = "BALER_CONFIG"

// testVariables begin the names that tests of Baler itself read.
const testVariables = "BALER_TEST_"

// Settings lists everything that can be set, in the order of the documentation.
func Settings() []Setting {
	return slices.Concat(services(), work(), queues(), site(), surface())
}

func services() []Setting {
	return []Setting{
		{"redis.url", "BALER_REDIS_URL", "embedded", "The queue: `embedded` (inside the process), `redis://`, `rediss://` (TLS), `redis-sentinel://h1,h2?master=NAME` or `redis-cluster://h1,h2`.", text()},
		{"redis.pool_size", "BALER_REDIS_POOL_SIZE", "", "Connections to Redis; the client chooses when not set.", number()},
		{"database.url", "BALER_DATABASE_URL", "sqlite:STATE_DIR/baler.db", "The system of record: `sqlite:PATH` or `mysql://user:password@host:3306/name?…`.", text()},
		{"database.auto_migrate", "BALER_DATABASE_AUTO_MIGRATE", "true", "Bring the tables up to date at start. Without it, run `baler migrate`.", flag()},
		{"database.max_connections", "BALER_DATABASE_MAX_CONNECTIONS", "", "Connections to the database; chosen by the kind of database when not set.", number()},
		{"roots", "BALER_ROOTS", "", "Folders that workers may read, absolute. In the variable they are separated as in `PATH`. Without any, a worker reads only what a transfer submitted.", folders()},
		{"state_dir", "BALER_STATE_DIR", "$XDG_STATE_HOME/baler, else ~/.local/state/baler", "Folder of the embedded default's database, absolute.", text()},
	}
}

func work() []Setting {
	return []Setting{
		{"worker.name", "BALER_WORKER_NAME", "host name and process number", "The worker's name in results and on the dashboard.", text()},
		{"worker.concurrency", "BALER_WORKER_CONCURRENCY", "2 × processors, at least 4", "Batches that one worker has in hand at a time.", number()},
		{"worker.slots", "BALER_WORKER_SLOTS", "processors", "Capacity that handlers share: a handler takes one slot, several or all.", number()},
		{"worker.grace", "BALER_WORKER_GRACE", "30s", "Time to finish what is in hand after a stop signal; the rest is handed back.", duration()},
		{"worker.queues", "BALER_WORKER_QUEUES", "default=1", "Queues to work on with their priorities. In the variable: `default=3,low=1`.", priorities()},
		{"dispatch.window", "BALER_DISPATCH_WINDOW", "64", "Unfinished batches a transfer may have in the queue.", number()},
		{"dispatch.interval", "BALER_DISPATCH_INTERVAL", "100ms", "How often the dispatcher looks for files to cut into batches.", duration()},
		{"dispatch.lag", "BALER_DISPATCH_LAG", "2m", "How long a file may wait in a group before the dispatcher takes it up itself.", duration()},
		{"dispatch.resend", "BALER_DISPATCH_RESEND", "15s", "How long a batch may be out before the queue is asked whether it still knows it.", duration()},
	}
}

func queues() []Setting {
	return []Setting{
		{"group.max_size", "BALER_GROUP_MAX_SIZE", "5000", "Files that asynq collects from a group at a time.", number()},
		{"group.grace", "BALER_GROUP_GRACE", "1s", "How long a group waits for another file; at least 1s.", duration()},
		{"group.max_delay", "BALER_GROUP_MAX_DELAY", "2s", "How long a group's first file waits at most; at least 1s.", duration()},
		{"group.limit", "BALER_GROUP_LIMIT", "100000", "Files that may wait in groups before producers are held back.", number()},
		{"batch.max_items", "BALER_BATCH_MAX_ITEMS", "128", "Files in a batch at most.", number()},
		{"batch.max_bytes", "BALER_BATCH_MAX_BYTES", "256MiB", "Bytes in a batch at most; a larger file goes alone.", size()},
		{"batch.max_delay", "BALER_BATCH_MAX_DELAY", "1s", "How long the first file of a batch waits for others.", duration()},
		{"batch.target", "BALER_BATCH_TARGET", "", "How long a batch should take; batches shrink and grow to meet it. Off when not set.", duration()},
		{"record.max_items", "BALER_RECORD_MAX_ITEMS", "1000", "Results written in one transaction at most.", number()},
		{"record.max_delay", "BALER_RECORD_MAX_DELAY", "250ms", "How long a result waits for others before it is written.", duration()},
		{"record.flushers", "BALER_RECORD_FLUSHERS", "2", "Transactions that write results at the same time.", number()},
		{"record.output_cap", "BALER_RECORD_OUTPUT_CAP", "64KiB", "Output kept of one file at one step; of more, the head and the tail.", size()},
	}
}

func site() []Setting {
	return []Setting{
		{"handlers.*.batch.max_items", "", "", "`batch.max_items` for this handler.", number()},
		{"handlers.*.batch.max_bytes", "", "", "`batch.max_bytes` for this handler.", size()},
		{"handlers.*.batch.max_delay", "", "", "`batch.max_delay` for this handler.", duration()},
		{"handlers.*.batch.target", "", "", "`batch.target` for this handler.", duration()},
		{"handlers.*.timeout", "", "", "Longest time for one file; the handler's own when not set.", duration()},
		{"handlers.*.retry.attempts", "", "", "Tries a file gets, the first included; the handler's own when not set.", number()},
		{"handlers.*.retry.backoff", "", "", "Wait before the second try; it doubles with every further one.", duration()},
		{"handlers.*.retry.max_backoff", "", "", "Longest wait before a try.", duration()},
	}
}

func surface() []Setting {
	return []Setting{
		{"http.listen", "BALER_HTTP_LISTEN", "127.0.0.1:8080", "Address of the API, the dashboard and the monitor.", text()},
		{"http.monitor_read_only", "BALER_HTTP_MONITOR_READ_ONLY", "false", "The queue monitor shows, but changes nothing.", flag()},
		{"log.level", "BALER_LOG_LEVEL", "info", "`debug`, `info`, `warn` or `error`.", text()},
		{"log.format", "BALER_LOG_FORMAT", "text", "`text` for people, `json` for machines.", text()},
	}
}

// catalog finds settings by their keys.
type catalog []Setting

// find returns the setting that a path names, and the names of what may stand
// there when it names none.
func (c catalog) find(path []string) (Setting, bool) {
	for _, s := range c {
		if parts := strings.Split(s.Key, "."); len(parts) == len(path) && leads(parts, path) {
			return s, true
		}
	}
	return Setting{}, false
}

// below lists what may follow a path: "*" for any handler's name, and nothing
// when the path leads nowhere.
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
