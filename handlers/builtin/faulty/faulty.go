//go:build failpoint

// Package faulty is a handler for tests of crashes. It exists only with the build
// tag failpoint.
package faulty

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/internal/sleep"
)

// Register adds the handler faulty to a registry. It does what a file's content
// says: "die" ends the process, "sleep 2s" waits, anything else succeeds. Before
// each file without its own sleep it waits for the duration of its argument pause. With the
// argument count, a folder, it notes there how many such calls run at once; see count.
func Register(reg *handlers.Registry) error {
	return reg.Register("faulty", handlers.PerFile(failAsAsked))
}

func failAsAsked(ctx context.Context, job *handlers.Job) error {
	var args struct {
		Pause string `json:"pause"`
		Count string `json:"count"`
	}
	if err := job.DecodeArgs(&args); err != nil {
		return err
	}
	if args.Count != "" {
		end, err := count(args.Count)
		if err != nil {
			return err
		}
		defer end()
	}
	f, err := job.Open()
	if err != nil {
		return err
	}
	defer f.Close() // only read from
	content, err := io.ReadAll(f)
	if err != nil {
		return fmt.Errorf("read: %w", err)
	}
	text := strings.TrimSpace(string(content))
	if text == "die" {
		os.Exit(1)
	}
	if long, ok := strings.CutPrefix(text, "sleep "); ok {
		args.Pause = long
	}
	if args.Pause == "" {
		return nil
	}
	d, err := time.ParseDuration(args.Pause)
	if err != nil {
		return fmt.Errorf("pause: %w", err)
	}
	return sleep.For(ctx, d)
}
