//go:build failpoint

package handlers

import (
	"context"
	"fmt"
	"github.com/balerhq/baler/internal/sleep"
	"io"
	"os"
	"strings"
	"time"
)

// registerFaulty adds a handler that does what a file's content tells it: "die"
// ends the process, "sleep 2s" takes its time, anything else succeeds. The
// argument pause is slept over every file.
func registerFaulty(r *Registry) { must(r.Register("faulty", PerFile(faulty))) }

func faulty(ctx context.Context, job *Job) error {
	var args struct {
		Pause string `json:"pause"`
	}
	if err := job.DecodeArgs(&args); err != nil {
		return err
	}
	f, err := job.Open()
	if err != nil {
		return err
	}
	defer f.Close()
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
