package config

import (
	"time"

	"github.com/balerhq/baler/tasks"
)

// Config is every setting. WithDefaults fills what is zero; Validate finds
// what cannot work.
type Config struct {
	Redis    Redis    `koanf:"redis"`
	Database Database `koanf:"database"`

	// Roots are the folders that workers may read, absolute. Empty means that
	// only what a transfer itself submitted may be read.
	Roots []string `koanf:"roots"`

	// Outputs are the folders below which final steps may write, absolute.
	// Empty means nowhere, but for a process that works for one person alone.
	Outputs []string `koanf:"outputs"`

	// StateDir holds the embedded default's database, absolute.
	StateDir string `koanf:"state_dir"`

	Worker   Worker             `koanf:"worker"`
	Dispatch Dispatch           `koanf:"dispatch"`
	Group    Group              `koanf:"group"`
	Batch    tasks.BatchPolicy  `koanf:"batch"`
	Handlers map[string]Handler `koanf:"handlers"` // the site's wishes, by handler name
	Record   Record             `koanf:"record"`
	Webhook  Webhook            `koanf:"webhook"`
	HTTP     HTTP               `koanf:"http"`
	Log      Log                `koanf:"log"`
}

// Redis says where the queue is. See ParseRedis.
type Redis struct {
	URL      string `koanf:"url"`
	PoolSize int    `koanf:"pool_size"` // connections; 0 lets the client choose
}

// Database says where the system of record is. See ParseDatabase.
type Database struct {
	URL            string `koanf:"url"`
	AutoMigrate    *bool  `koanf:"auto_migrate"`    // nil means true
	MaxConnections int    `koanf:"max_connections"` // 0 lets the store choose
}

// Worker is how much one worker process does at a time.
type Worker struct {
	Name        string         `koanf:"name"`
	Concurrency int            `koanf:"concurrency"` // batches in hand at a time
	Slots       int            `koanf:"slots"`       // capacity that handlers share
	Interval    time.Duration  `koanf:"interval"`    // between two looks at an empty queue
	Grace       time.Duration  `koanf:"grace"`       // to finish in after a stop signal
	Queues      map[string]int `koanf:"queues"`      // queue name to priority
}

// Dispatch is how registered files are cut into batches.
type Dispatch struct {
	Window   int           `koanf:"window"` // unfinished batches a transfer
	Interval time.Duration `koanf:"interval"`
	Lag      time.Duration `koanf:"lag"`
	Resend   time.Duration `koanf:"resend"`
}

// Group is how asynq collects the files that trickle in.
type Group struct {
	MaxSize  int           `koanf:"max_size"`
	Grace    time.Duration `koanf:"grace"`
	MaxDelay time.Duration `koanf:"max_delay"`
	Limit    int           `koanf:"limit"`
}

// Handler is what a site wants of one handler. A zero field says nothing.
type Handler struct {
	Batch   tasks.BatchPolicy `koanf:"batch"`
	Timeout time.Duration     `koanf:"timeout"`
	Retry   tasks.RetryPolicy `koanf:"retry"`
}

// Record is how results are written.
type Record struct {
	MaxItems  int           `koanf:"max_items"`
	MaxDelay  time.Duration `koanf:"max_delay"`
	Flushers  int           `koanf:"flushers"`
	Adapt     *bool         `koanf:"adapt"` // nil means true
	MaxOutput Size          `koanf:"max_output"`
}

// Webhook says who is told of the end of every transfer.
type Webhook struct {
	URLs   []string `koanf:"urls"`
	Secret string   `koanf:"secret"` // signs what is sent; empty for no signature
}

// HTTP is where the API, the dashboard and the monitor answer.
type HTTP struct {
	Listen          string `koanf:"listen"`
	MonitorReadOnly bool   `koanf:"monitor_read_only"`
}

// Log is what is logged and how it looks.
type Log struct {
	Level  string `koanf:"level"`
	Format string `koanf:"format"`
}
