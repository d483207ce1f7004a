package config

import (
	"time"

	"github.com/balerhq/baler/tasks"
)

// Config holds every setting. WithDefaults fills zero fields; Validate reports
// values that cannot work.
type Config struct {
	Redis    RedisSettings    `koanf:"redis"`
	Database DatabaseSettings `koanf:"database"`

	// Roots are the folders that workers may read, as absolute paths. When empty, a
	// worker reads only the paths that a transfer submitted, and no worker starts on a
	// shared queue or database.
	Roots []string `koanf:"roots"`

	// Outputs are the folders below which final steps may write, as absolute paths.
	// When empty, those of a worker write nowhere, and those of a local run anywhere. Relative
	// paths of a transfer are below the first folder, in one named for the transfer.
	Outputs []string `koanf:"outputs"`

	// StateDir holds the embedded default's database, absolute.
	StateDir string `koanf:"state_dir"`

	Worker   WorkerSettings             `koanf:"worker"`
	Dispatch DispatchSettings           `koanf:"dispatch"`
	Group    GroupSettings              `koanf:"group"`
	Batch    tasks.BatchPolicy          `koanf:"batch"`
	Limits   map[string]string          `koanf:"limits"`   // see NamedLimits
	Handlers map[string]HandlerSettings `koanf:"handlers"` // the site's settings, by handler name
	Record   RecordSettings             `koanf:"record"`
	Webhook  WebhookSettings            `koanf:"webhook"`
	SMTP     SMTPSettings               `koanf:"smtp"`

	Retention RetentionSettings `koanf:"retention"`
	Journal   JournalSettings   `koanf:"journal"`
	Audit     AuditSettings     `koanf:"audit"`

	HTTP  HTTPSettings  `koanf:"http"`
	Log   LogSettings   `koanf:"log"`
	Trace TraceSettings `koanf:"trace"`

	// Server is the URL of the `baler serve` to which commands speak instead of to Redis and
	// the database; empty: none. See ServerToken and ServerTLS.
	Server    string `koanf:"server"`
	Token     string `koanf:"token"`      // of the server; empty: that of TokenFile
	TokenFile string `koanf:"token_file"` // the file that holds it
	ServerCA  string `koanf:"server_ca"`  // PEM: authorities that may have signed its certificate; empty: those of the host
}

// RedisSettings is the address of the queue. See ParseRedis.
type RedisSettings struct {
	URL      string `koanf:"url"`
	PoolSize int    `koanf:"pool_size"` // connections; 0 lets the client choose

	AllowEviction bool `koanf:"allow_eviction"` // workers start although Redis may drop messages

	// Username and Password are those of the Redis servers where the address has none.
	// Behind Sentinel, those of the address are the sentinels'.
	Username string `koanf:"username"`
	Password string `koanf:"password"`

	// SigningKeys sign queue messages: the first one signs, all verify. Without any, and
	// without SigningKeysFile, messages are not signed. See ReadSigningKeys.
	SigningKeys     []string `koanf:"signing_keys"`
	SigningKeysFile string   `koanf:"signing_keys_file"` // the file that holds them instead, one a line

	TLS TLS `koanf:"tls"` // for an address that begins with rediss
}

// DatabaseSettings is the address of the system of record. See ParseDatabase.
type DatabaseSettings struct {
	URL            string `koanf:"url"`
	ReplicaURL     string `koanf:"replica_url"`     // empty: none
	AutoMigrate    *bool  `koanf:"auto_migrate"`    // nil means true
	MaxConnections int    `koanf:"max_connections"` // 0 lets the store choose
	TLS            TLS    `koanf:"tls"`             // for MySQL; any file of it turns TLS on
}

// WorkerSettings sets how much one worker process does at a time.
type WorkerSettings struct {
	Name        string         `koanf:"name"`
	Host        string         `koanf:"host"`         // workers of one host share its limits by host
	Concurrency int            `koanf:"concurrency"`  // batches processed at once
	Slots       int            `koanf:"slots"`        // capacity that handlers share
	Interval    time.Duration  `koanf:"interval"`     // between two checks of an empty queue
	Grace       time.Duration  `koanf:"grace"`        // time to finish batches after a stop signal
	Queues      map[string]int `koanf:"queues"`       // queue name to priority
	AdminListen string         `koanf:"admin_listen"` // address of its admin server; AdminOff for none
	Profile     bool           `koanf:"profile"`      // serve profiles there

	// Recipes are folders, absolute, with recipes whose programs the worker runs.
	Recipes []string `koanf:"recipes"`

	// MaxCopy is the size of the largest object in object storage that is copied to this host for
	// programs; 0: 10 GiB.
	MaxCopy Size `koanf:"max_copy"`

	// MinFree is how much extractions leave free on a disk; 0: 256 MiB.
	MinFree Size `koanf:"min_free"`

	// AllowCommands lets the worker run the programs of every recipe.
	AllowCommands bool `koanf:"allow_commands"`
}

// AdminOff is the Worker.AdminListen of a worker without an admin server.
const AdminOff = "off"

// DispatchSettings sets how the dispatcher makes batches of registered files.
type DispatchSettings struct {
	Window   int           `koanf:"window"` // unfinished batches per transfer
	Interval time.Duration `koanf:"interval"`
	Lag      time.Duration `koanf:"lag"`
	Resend   time.Duration `koanf:"resend"`
}

// GroupSettings sets how workers collect files that arrive one by one.
type GroupSettings struct {
	MaxSize  int           `koanf:"max_size"`
	Grace    time.Duration `koanf:"grace"`
	MaxDelay time.Duration `koanf:"max_delay"`
	Limit    int           `koanf:"limit"`
}

// HandlerSettings holds the site's settings for one handler. A zero field is not set.
type HandlerSettings struct {
	Batch        tasks.BatchPolicy `koanf:"batch"`
	Timeout      time.Duration     `koanf:"timeout"`       // of one file, or one attempt of a final step
	BatchTimeout time.Duration     `koanf:"batch_timeout"` // of all files of a batch together
	Retry        tasks.RetryPolicy `koanf:"retry"`
}

// RecordSettings sets how results are written.
type RecordSettings struct {
	MaxItems  int           `koanf:"max_items"`
	MaxDelay  time.Duration `koanf:"max_delay"`
	Flushers  int           `koanf:"flushers"`
	MaxOutput Size          `koanf:"max_output"`
}

// RetentionSettings sets which transfers are deleted by themselves. See baler.PruneOptions.
type RetentionSettings struct {
	OlderThan time.Duration `koanf:"older_than"` // ago that they ended; 0 deletes none
	KeepLast  int           `koanf:"keep_last"`
	FailedToo bool          `koanf:"failed_too"`
}

// JournalSettings sets where ended transfers are kept beside the database.
type JournalSettings struct {
	Dir         string        `koanf:"dir"`         // absolute; empty: nowhere
	MaxSize     Size          `koanf:"max_size"`    // of a file, before a new one is begun
	Compression string        `koanf:"compression"` // zstd, gzip or none
	Keep        time.Duration `koanf:"keep"`        // after which files are deleted; 0: never
}

// WebhookSettings sets the receivers that are notified of every transfer, and of what.
type WebhookSettings struct {
	URLs     []string `koanf:"urls"`
	Secret   string   `koanf:"secret"`   // signs the messages; empty: no signature
	Networks []string `koanf:"networks"` // addresses and prefixes that webhooks may reach, beside public ones

	Events     []string      `koanf:"events"`      // of tasks.TransferEvents; none: all
	StallAfter time.Duration `koanf:"stall_after"` // how long a transfer stands still before that is told
	Subject    string        `koanf:"subject"`     // template of mail; empty: the default one
	Text       string        `koanf:"text"`        // template of the text of mail, Slack and Teams; empty: the default one
}

// HTTPSettings is the address of the API, the dashboard and the monitor, and who may use them.
// See ReadToken.
type HTTPSettings struct {
	Listen          string   `koanf:"listen"`
	Token           string   `koanf:"token"`             // what requests must carry; empty: nothing
	TokenFile       string   `koanf:"token_file"`        // the file that holds it instead
	Insecure        bool     `koanf:"insecure"`          // allows other hosts to connect without accounts and token
	Hosts           []string `koanf:"hosts"`             // names of this server in requests, beside those of loopback
	MonitorReadOnly *bool    `koanf:"monitor_read_only"` // nil means true

	RequestsPerSecond int `koanf:"requests_per_second"` // of the API, from one address

	TLS HTTPCertificate `koanf:"tls"`

	URL         string         `koanf:"url"`          // by which people reach the server; empty: by its own address
	AskLogin    bool           `koanf:"ask_login"`    // also on loopback addresses
	SessionIdle time.Duration  `koanf:"session_idle"` // after which a login that nobody uses ends
	SessionLife time.Duration  `koanf:"session_life"` // after which every login ends
	OpenID      OpenIDSettings `koanf:"openid"`
}

// HTTPCertificate names the certificate of serve, in PEM. Without it, serve speaks HTTP without TLS.
type HTTPCertificate struct {
	Cert string `koanf:"cert"` // with those of its authorities after it
	Key  string `koanf:"key"`
}

// OpenIDSettings is a provider at which people log in, and what gives them a role. An Issuer that
// is empty turns it off.
type OpenIDSettings struct {
	Issuer           string   `koanf:"issuer"`
	ClientID         string   `koanf:"client_id"`
	ClientSecretFile string   `koanf:"client_secret_file"`
	Scopes           []string `koanf:"scopes"`     // besides openid and profile
	RoleClaim        string   `koanf:"role_claim"` // of whose values the next three are lists
	Viewers          []string `koanf:"viewers"`
	Submitters       []string `koanf:"submitters"`
	Operators        []string `koanf:"operators"`
}

// AuditSettings sets how long it is kept who changed what.
type AuditSettings struct {
	Keep time.Duration `koanf:"keep"`
}

// TraceSettings say where traces go.
type TraceSettings struct {
	Endpoint string `koanf:"endpoint"` // of an OTLP/HTTP receiver; empty: none, unless OpenTelemetry's variables name one
}

// LogSettings sets the level and the format of the log.
type LogSettings struct {
	Level  string `koanf:"level"`
	Format string `koanf:"format"`
}
