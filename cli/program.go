package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/balerhq/baler"
	"github.com/balerhq/baler/config"
	"github.com/balerhq/baler/handlers"
)

// program is one run of the command line, with its inputs and outputs.
type program struct {
	name     string             // the name by which it was called, for help
	registry *handlers.Registry // never nil
	env      []string
	stdin    io.Reader
	stdout   *output
	stderr   *console

	hostClock func() time.Time // nil: this host's; only tests set it
	clock     func() time.Time // the database's, while it is open

	file    string // --config
	json    bool
	color   string // --color
	verbose int
	jsonLog bool   // standard error contains a JSON log only
	changed string // the id of the transfer that the command changes, for the audit log
	began   bool   // a command has started: its command line was well formed
}

// opener is baler.Open or baler.OpenStore.
type opener func(context.Context, config.Config, baler.Options) (*baler.Baler, error)

// with opens Baler for a command, and closes it afterwards.
func (p *program) with(cmd *cobra.Command, open opener, do func(context.Context, *baler.Baler, config.Config) error) (err error) {
	cfg, err := p.ownSettings(cmd)
	if err != nil {
		return err
	}
	b, err := open(cmd.Context(), cfg, p.options(cfg))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.Close()) }()
	p.clock = b.Now
	if cmd.Annotations[service] != "" {
		defer toggleOnSignal(cmd.Context(), b)()
	}
	return p.audited(cmd, b, func() error { return do(cmd.Context(), b, cfg) })
}

// ownSettings are the settings of a command that needs Redis or the database itself.
func (p *program) ownSettings(cmd *cobra.Command) (config.Config, error) {
	cfg, err := p.settings(cmd)
	if err == nil && cfg.Server != "" {
		err = usagef("%s does not work through a server (%s): leave out --server, and unset BALER_SERVER",
			strings.TrimPrefix(cmd.CommandPath(), cmd.Root().Name()+" "), printable(cfg.Server))
	}
	return cfg, err
}

func (p *program) options(cfg config.Config) baler.Options {
	return baler.Options{Registry: p.registry, Log: baler.NewLogger(p.stderr, cfg.Log), Version: buildInfo().Version, HostClock: p.hostClock}
}

// now is the time by which the database has stamped its rows: this host's clock may be wrong.
func (p *program) now() time.Time {
	if p.clock == nil {
		return time.Now()
	}
	return p.clock()
}

// printf writes a line to standard output.
func (p *program) printf(format string, args ...any) {
	fmt.Fprintf(p.stdout, p.named(format)+"\n", args...)
}

// notef writes a note to standard error.
func (p *program) notef(format string, args ...any) {
	format = p.named(format)
	if p.json {
		p.message(messageObject{Type: "note", Message: fmt.Sprintf(format, args...)})
		return
	}
	fmt.Fprintf(p.notes(slog.LevelInfo), format+"\n", args...)
}

// complain writes an error, and the usage for an error in the command line.
func (p *program) complain(message, usage string) {
	message = p.named(message)
	if p.json {
		p.message(messageObject{"error", message, usage})
		return
	}
	prefix := "error: "
	if p.jsonLog {
		prefix = "" // the record has a level
	}
	fmt.Fprintf(p.notes(slog.LevelError), "%s%s\n", prefix, printable(message))
}
