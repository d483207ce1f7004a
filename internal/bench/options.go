package bench

import (
	"log/slog"
	"path/filepath"

	"github.com/balerhq/baler/config"
)

// Options say where and with what is measured. All fields but Log and Yes are needed.
type Options struct {
	// Config has the settings. A queue that is not embedded and a database other
	// than the state folder's are used; for what is not given servers are started.
	Config config.Config

	// Program is the baler binary, which is run as worker and as producer, and
	// Env the environment that it gets.
	Program string
	Env     []string

	// Version is Baler's own, to go with the figures.
	Version string

	// Say tells a person how far it has come.
	Say func(format string, args ...any)

	Log *slog.Logger // nil: discards

	// Yes measures also in a given database that holds transfers.
	Yes bool
}

func (o *Options) givenRedis() bool { return o.Config.Redis.URL != string(config.Embedded) }

func (o *Options) givenDatabase() bool {
	return o.Config.Database.URL != "sqlite:"+filepath.Join(o.Config.StateDir, "baler.db")
}
