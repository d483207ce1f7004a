package journal

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/balerhq/baler/internal/failpoint"
	"github.com/balerhq/baler/internal/outage"
	"github.com/balerhq/baler/tasks"
)

// Store knows which transfers the journal lacks.
type Store interface {
	// Unjournaled lists transfers that have ended and that the journal lacks as they are now,
	// oldest first, those numbered above after, at most limit.
	Unjournaled(ctx context.Context, after int64, limit int) ([]tasks.Transfer, error)
	// CountUnjournaled counts them.
	CountUnjournaled(ctx context.Context) (int64, error)
	// MarkJournaled notes that the journal has a transfer as it ended at a time.
	MarkJournaled(ctx context.Context, id int64, ended time.Time) error
	// AcquireLease takes or renews a lease, and reports whether the holder has it.
	AcquireLease(ctx context.Context, name, holder string, ttl time.Duration) (bool, error)
	// ReleaseLease gives a lease up before its time.
	ReleaseLease(ctx context.Context, name, holder string) error
}

// Options configure a Journal. Without a Dir there is none.
type Options struct {
	Dir         string
	MaxSize     int64         // a file that has so many bytes gets no more transfers
	Compression Packing       // of new files
	Keep        time.Duration // after which files are deleted; 0: never

	Interval    time.Duration // between two passes; 0: 5 s
	LeaseHolder string        // name of this process, unique

	// Export writes a transfer as JSON lines, of one moment, and returns what it was then.
	Export func(ctx context.Context, id string, w io.Writer) (tasks.Transfer, error)

	Log *slog.Logger
	Now func() time.Time
}

const (
	defaultInterval = 5 * time.Second
	afterFailure    = 30 * time.Second // between two passes
	leaseTTL        = time.Minute
	page            = 100
	fileLife        = 24 * time.Hour // after which a new file is begun
	cleanEvery      = time.Hour
	lease           = "journal"
)

// Journal writes ended transfers to files. Each process that has the folder runs one; the
// holder of a lease writes. Two that write at once do no harm.
type Journal struct {
	store   Store
	opts    Options
	metrics *metrics

	watch   *outage.Watch
	file    *file // nil: none is open
	opened  time.Time
	cleaned time.Time
}

type metrics struct {
	transfers, bytes, failures prometheus.Counter
	waiting                    prometheus.Gauge
}

// New makes a journal and registers its metrics; Run starts it. Without a folder it does
// nothing.
func New(s Store, o Options, reg prometheus.Registerer) *Journal {
	if o.Interval <= 0 {
		o.Interval = defaultInterval
	}
	m := &metrics{
		transfers: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "baler_journal_transfers_total", Help: "Ended transfers that this process has written to the journal.",
		}),
		bytes: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "baler_journal_bytes_total", Help: "Compressed bytes that this process has written to the journal.",
		}),
		failures: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "baler_journal_failures_total", Help: "Attempts of this process to write to the journal that failed. Each is repeated.",
		}),
		waiting: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "baler_journal_waiting",
			Help: "Ended transfers that the journal lacks, as the process that writes it has counted them; 0 in others.",
		}),
	}
	if o.Dir != "" {
		m.transfers, m.bytes = registered(reg, m.transfers), registered(reg, m.bytes)
		m.failures, m.waiting = registered(reg, m.failures), registered(reg, m.waiting)
	}
	return &Journal{store: s, opts: o, metrics: m, watch: outage.New(o.Log, outage.Database, "look for transfers for the journal")}
}

// registered registers a metric, or returns the one that an earlier journal of this process has
// registered.
func registered[C prometheus.Collector](reg prometheus.Registerer, c C) C {
	err := reg.Register(c)
	if there, is := errors.AsType[prometheus.AlreadyRegisteredError](err); is {
		if earlier, ok := there.ExistingCollector.(C); ok {
			return earlier
		}
	}
	if err != nil {
		panic(fmt.Sprintf("journal: %v", err)) // two metrics of one name: a mistake of this program
	}
	return c
}

// Run writes until ctx ends, and returns the error of ctx.
func (j *Journal) Run(ctx context.Context) error {
	if j.opts.Dir == "" {
		<-ctx.Done()
		return ctx.Err()
	}
	defer j.end(ctx)
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-timer.C:
		}
		timer.Reset(j.pass(ctx))
	}
}

// pass makes a pass and returns the time until the next.
func (j *Journal) pass(ctx context.Context) time.Duration {
	err := j.Pass(ctx)
	_, ofFile := errors.AsType[*fileError](err)
	_, ofRow := errors.AsType[*readError](err)
	if !ofFile && !ofRow {
		_ = j.watch.Done(ctx, err) // the next pass tries again
	}
	if !ofFile && !ofRow || ctx.Err() != nil {
		return j.opts.Interval
	}
	j.metrics.failures.Inc()
	j.opts.Log.ErrorContext(ctx, "journal: transfers that have ended are not written; they stay in the database, and are tried again. "+
		"Look whether the disk of journal.dir is full, and whether this account may write there", "folder", j.opts.Dir, "error", err)
	return max(j.opts.Interval, afterFailure)
}

// endTime bounds the last pass.
const endTime = 10 * time.Second

// end writes what has just ended, closes the file, and lets another process write at once. ctx
// has ended already.
func (j *Journal) end(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), endTime)
	defer cancel()
	j.pass(ctx)
	if err := errors.Join(j.closeFile(), j.store.ReleaseLease(ctx, lease, j.opts.LeaseHolder)); err != nil {
		j.opts.Log.WarnContext(ctx, "journal: the end of the process left something open", "error", err)
	}
}

// Pass writes all transfers that the journal lacks, unless another process does.
func (j *Journal) Pass(ctx context.Context) error {
	held, err := j.store.AcquireLease(ctx, lease, j.opts.LeaseHolder, leaseTTL)
	if err != nil || !held {
		j.metrics.waiting.Set(0)
		return errors.Join(err, j.closeFile())
	}
	waiting, err := j.store.CountUnjournaled(ctx)
	if err != nil {
		return err
	}
	j.metrics.waiting.Set(float64(waiting))
	if err := j.writeAll(ctx); err != nil {
		return err
	}
	return j.deleteOld(ctx)
}

// writeAll writes one transfer after the other. One that cannot be read does not keep back
// the others; a file that cannot be written does.
func (j *Journal) writeAll(ctx context.Context) error {
	var after int64
	var unreadable []error
	for {
		transfers, err := j.store.Unjournaled(ctx, after, page)
		if err != nil || len(transfers) == 0 {
			return errors.Join(append(unreadable, err)...)
		}
		for i := range transfers {
			after = transfers[i].ID
			if held, err := j.store.AcquireLease(ctx, lease, j.opts.LeaseHolder, leaseTTL); err != nil || !held {
				return errors.Join(append(unreadable, err)...)
			}
			err := j.write(ctx, &transfers[i])
			if read, is := errors.AsType[*readError](err); is && ctx.Err() == nil {
				unreadable = append(unreadable, read)
				continue
			}
			if err != nil {
				return errors.Join(append(unreadable, err)...)
			}
		}
	}
}

// readError is an error of the database, and fileError one of a file.
type (
	readError struct{ error }
	fileError struct{ error }
)

func (e *readError) Unwrap() error { return e.error }
func (e *fileError) Unwrap() error { return e.error }

// errReopened says that a transfer runs again, and is written at its next end, or that it was
// deleted.
var errReopened = errors.New("it has no end any more")

func isGone(err error) bool {
	_, deleted := errors.AsType[*tasks.DeletedError](err)
	return deleted || errors.Is(err, tasks.ErrTransferNotFound)
}

func (j *Journal) write(ctx context.Context, t *tasks.Transfer) error {
	if err := j.openFile(); err != nil {
		return &fileError{fmt.Errorf("open journal file: %w", err)}
	}
	before := j.file.size
	var ended time.Time
	broken, err := j.file.add(func(w io.Writer) error {
		to := &target{w: w}
		was, err := j.opts.Export(ctx, t.UUID, to)
		switch {
		case to.err != nil:
			return to.err
		case isGone(err):
			return errReopened
		case err != nil:
			return &readError{err}
		case !was.State.Ended():
			return errReopened
		}
		ended = was.EndedAt
		return nil
	})
	if errors.Is(err, errReopened) && !broken {
		return nil
	}
	if err != nil {
		if broken {
			err = errors.Join(err, j.closeFile())
		}
		err = fmt.Errorf("write transfer %s: %w", t.UUID, err)
		if _, ofRow := errors.AsType[*readError](err); !ofRow || broken {
			err = &fileError{err}
		}
		return err
	}
	failpoint.Point(failpoint.JournalWritten)
	if err := j.store.MarkJournaled(ctx, t.ID, ended); err != nil {
		return err // it is written again, and is the same
	}
	j.metrics.transfers.Inc()
	j.metrics.bytes.Add(float64(j.file.size - before))
	j.metrics.waiting.Dec()
	return nil
}

// target keeps errors of the file apart from those of the database.
type target struct {
	w   io.Writer
	err error
}

func (t *target) Write(p []byte) (int, error) {
	n, err := t.w.Write(p)
	if err != nil {
		t.err = err
	}
	return n, err
}

// openFile makes sure that a file is open which is neither full nor old.
func (j *Journal) openFile() error {
	now := j.opts.Now()
	if j.file != nil && (j.file.size >= j.opts.MaxSize || now.Sub(j.opened) >= fileLife) {
		if err := j.closeFile(); err != nil {
			return err
		}
	}
	if j.file != nil && j.file.isInPlace() != nil {
		if err := j.closeFile(); err != nil {
			return err
		}
	}
	if j.file != nil {
		return nil
	}
	file, err := create(j.opts.Dir, j.opts.LeaseHolder, j.opts.Compression, now)
	if err != nil {
		return err
	}
	j.file, j.opened = file, now
	return nil
}

func (j *Journal) closeFile() error {
	if j.file == nil {
		return nil
	}
	file := j.file
	j.file = nil
	return file.close()
}

// deleteOld deletes journal files that nobody has written to for as long as they are kept.
func (j *Journal) deleteOld(ctx context.Context) error {
	now := j.opts.Now()
	if j.opts.Keep <= 0 || now.Sub(j.cleaned) < cleanEvery {
		return nil
	}
	entries, err := os.ReadDir(j.opts.Dir)
	if err != nil {
		return &fileError{fmt.Errorf("delete old journal files: %w", err)}
	}
	for _, e := range entries {
		if !e.Type().IsRegular() || !strings.HasPrefix(e.Name(), Prefix) {
			continue
		}
		info, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue // another process was faster
		}
		if err != nil {
			return &fileError{fmt.Errorf("delete old journal files: %w", err)}
		}
		if now.Sub(info.ModTime()) < j.opts.Keep || j.file != nil && filepath.Base(j.file.f.Name()) == e.Name() {
			continue
		}
		if err := os.Remove(filepath.Join(j.opts.Dir, e.Name())); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return &fileError{fmt.Errorf("delete old journal files: %w", err)}
		}
		j.opts.Log.InfoContext(ctx, "journal: old file deleted", "file", e.Name(), "written", info.ModTime())
	}
	j.cleaned = now
	return nil
}
