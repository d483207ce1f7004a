package bench

import (
	"log/slog"
	"path/filepath"

	"github.com/balerhq/baler/config"
)

// Options configure an Env. All fields except Log, Database and Yes are required.
type Options struct {
	// Config has the settings. Measurements use its queue unless that is embedded, and its
	// database unless that is in the state folder; otherwise Open starts a server.
	Config config.Config

	// Program is the baler binary, which runs as worker and as producer, and Env its
	// environment.
	Program string
	Env     []string

	// Version is the version of Baler, for the description of the machine.
	Version string

	// Say reports progress to a person.
	Say func(format string, args ...any)

	Log *slog.Logger // nil: discards

	// Database has arguments of the database server that Open starts, beside its own.
	Database []string

	// Yes allows a given database that contains transfers.
	Yes bool
}

func (o *Options) givenRedis() bool { return o.Config.Redis.URL != string(config.Embedded) }

func (o *Options) givenDatabase() bool {
	return o.Config.Database.URL != "sqlite:"+filepath.Join(o.Config.StateDir, "baler.db")
}
