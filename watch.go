package baler

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/balerhq/baler/config"
	"github.com/balerhq/baler/internal/audit"
	"github.com/balerhq/baler/internal/db"
	"github.com/balerhq/baler/internal/ingest"
	"github.com/balerhq/baler/internal/watch"
	"github.com/balerhq/baler/recipe"
	"github.com/balerhq/baler/tasks"
)

// WatchSettings say which folder Watch watches, and how.
type WatchSettings = watch.Settings

// WatchEach says what becomes a transfer.
type WatchEach = watch.Each

// The kinds of entries that become transfers.
const (
	WatchEachFile   = watch.EachFile
	WatchEachFolder = watch.EachFolder
)

// DefaultSettle is how long an entry of a watched folder must stay as it is, where no marker says
// that it is complete.
const DefaultSettle = watch.DefaultSettle

// WatchOptions say what Watch does with what it finds.
type WatchOptions struct {
	Recipe   *recipe.Recipe // required
	Queue    string         // empty: "default"
	Weight   int            // see Submission
	Webhooks []string
	NoReuse  bool

	StopAfter string // see Submission

	// OnReady is called with the checked settings before Watch begins; may be nil.
	OnReady func(WatchSettings)
}

// Watch submits each file or folder that settles in a folder as a transfer of its own, until ctx
// ends, and moves it away when its transfer has ended, where the settings say so. It submits an
// entry once for each content that it has had, also when the process is killed, and when several
// processes watch the folder. While it runs, it serves metrics and health at worker.admin_listen.
func (b *Baler) Watch(ctx context.Context, s WatchSettings, o WatchOptions) error {
	if o.Recipe.Fixity {
		return ErrFixitySubmit
	}
	s.Exclude = append([]string{b.cfg.StateDir}, b.cfg.Outputs...)
	if _, err := tasks.ParseStopAfter(o.StopAfter); err != nil {
		return fmt.Errorf("watch: %w", err)
	}
	if err := s.Check(); err != nil {
		return fmt.Errorf("watch: %w", err)
	}
	if err := b.backend().CheckWithinRoots(s.Folder); err != nil {
		return err
	}
	w := &watching{Baler: b, settings: s, options: o}
	sub := ingest.TransferRequest(w.submission(s.Folder, ""))
	if _, err := b.ingester.Sources(&sub); err != nil {
		return err
	}
	loop := watch.New(watch.Options{
		Settings: s, Store: b.store, Transfers: w, Metrics: watch.NewMetrics(b.metrics), Recipe: o.Recipe.Name,
		Holder: b.cfg.Worker.Name + " " + rand.Text()[:8], Grace: b.cfg.Worker.Grace, Now: b.now, Log: b.log,
	})
	b.warnOfOtherKeys(ctx)
	if o.OnReady != nil {
		o.OnReady(s)
	}
	if b.cfg.Worker.AdminListen == config.AdminOff {
		return loop.Run(ctx)
	}
	admin, err := b.backend().OpenAdmin(ctx, b.cfg.Worker.AdminListen)
	if err != nil {
		return err
	}
	return admin.ServeWhile(ctx, loop, b.cfg.Worker.Profile)
}

// Watches lists the watched folders.
func (b *Baler) Watches(ctx context.Context) ([]watch.FolderActivity, error) {
	return b.store.Watches(ctx)
}

// watching makes the transfers of a watched folder.
type watching struct {
	*Baler

	settings WatchSettings
	options  WatchOptions
}

func (w *watching) submission(path, key string) Submission {
	s := Submission{
		Paths: []string{path}, Recipe: w.options.Recipe, IdempotencyKey: key, Queue: w.options.Queue, Weight: w.options.Weight,
		Via: tasks.ViaBulk, Webhooks: w.options.Webhooks, NoReuse: w.options.NoReuse, StopAfter: w.options.StopAfter,
	}
	if w.settings.Each == watch.EachFolder {
		s.Selection.Exclude = w.settings.Patterns()
	}
	return s
}

// ByKey implements watch.TransferMaker.
func (w *watching) ByKey(ctx context.Context, key string) (int64, error) {
	t, err := w.store.TransferByKey(ctx, key)
	if errors.Is(err, tasks.ErrTransferNotFound) {
		return 0, nil
	}
	return t.ID, err
}

// Submit implements watch.TransferMaker.
func (w *watching) Submit(ctx context.Context, path, key string) (id int64, uuid string, err error) {
	if target, err := filepath.EvalSymlinks(path); err == nil && target != path {
		return 0, "", fmt.Errorf("%s has become a link to %s, and links are not followed", path, target)
	}
	var t tasks.Transfer
	entry := audit.Entry{Who: "watch of " + db.ClipText(w.settings.Folder, 200), Action: "submit a transfer", Target: path}
	err = audit.Record(ctx, w.store, w.log, entry, func() (target, detail string, err error) {
		if t, err = w.submitOnce(ctx, path, key); t.UUID != "" {
			return t.UUID + " (" + path + ")", "", err
		}
		return path, "", err
	})
	return t.ID, t.UUID, err
}

func (w *watching) submitOnce(ctx context.Context, path, key string) (tasks.Transfer, error) {
	t, err := w.store.TransferByKey(ctx, key)
	created := false
	if errors.Is(err, tasks.ErrTransferNotFound) {
		t, created, err = w.Baler.Submit(ctx, w.submission(path, key))
	}
	if err != nil || created || t.State != tasks.StateOpen && t.State != tasks.StateInterrupted {
		return t, err
	}
	// Its producer was killed, or another process registers it just now.
	if t, err = w.AwaitProducer(ctx, t, nil); err != nil || t.State != tasks.StateOpen && t.State != tasks.StateInterrupted {
		return t, err
	}
	return w.ResumeSubmit(ctx, t, nil)
}

// Outcome implements watch.TransferMaker.
func (w *watching) Outcome(ctx context.Context, id int64) (o watch.Ending, err error) {
	t, err := w.store.TransferByID(ctx, id)
	if _, gone := errors.AsType[*tasks.DeletedError](err); gone || errors.Is(err, tasks.ErrTransferNotFound) {
		return watch.Ending{Deleted: true}, nil
	}
	if err != nil {
		return o, err
	}
	totals := t.Totals()
	bad := totals.Failures() > 0 || totals.Canceled > 0 || t.State == tasks.StateCanceled || len(t.FailedFinalizers()) > 0
	return watch.Ending{UUID: t.UUID, Bad: bad}, nil
}

// Temporary implements watch.TransferMaker.
func (w *watching) Temporary(err error) bool { return db.IsOutage(err) }
