package watch

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/balerhq/baler/internal/outage"
	"github.com/balerhq/baler/internal/sleep"
)

// Options configure a Loop. All of it is needed but where a default is said.
type Options struct {
	Settings // checked

	Store     Store
	Transfers TransferMaker
	Metrics   *Metrics
	Recipe    string           // its name, for people
	Holder    string           // name of this process, unique
	Grace     time.Duration    // how long a submission that has begun may go on when Run ends
	Now       func() time.Time // the database's time
	Log       *slog.Logger
}

const (
	leaseTime   = 20 * time.Second
	followEvery = 2 * time.Second
	statusEvery = 5 * time.Second
	forgetEvery = time.Hour
	shortest    = 50 * time.Millisecond // between two ticks
)

// Loop watches one folder.
type Loop struct {
	o       Options
	look    looker
	settle  *settling
	waker   *waker
	notices notices
	watch   *outage.Watch
	leads   atomic.Bool
	status  FolderActivity
	found   int // entries of the last look; 0 may mean that the folder's file system is away

	pause  map[string]time.Time // by token: when an item that failed is tried again
	failed map[string]string    // by token: why
}

// New makes a Loop; Run starts it.
func New(o Options) *Loop {
	l := &Loop{
		o: o, settle: newSettling(o.Settle), notices: notices{log: o.Log}, pause: make(map[string]time.Time), failed: make(map[string]string),
		watch: outage.New(o.Log, outage.Database, "watch a folder"),
	}
	l.look = looker{Settings: &l.o.Settings, inodes: !shared(o.Folder)}
	l.status = FolderActivity{Name: o.Name, Folder: o.Folder, Recipe: o.Recipe, Holder: o.Holder}
	return l
}

// Run watches until ctx ends. Then it finishes the submission or the move that it has begun.
func (l *Loop) Run(ctx context.Context) error {
	working, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(l.o.Grace, cancel) })()
	l.waker = newWaker(ctx, &l.o.Settings, l.o.Log)
	defer func() { l.waker.close() }()
	l.look.folder = func(path string) { l.waker.add(ctx, path) }
	l.look.note = func(path, what string, err error) { l.leftOut(ctx, path, what, err) }
	l.status.StartedAt = l.o.Now()
	var lease sync.WaitGroup
	leasing, resign := context.WithCancel(ctx)
	lease.Go(func() { l.keepLease(leasing) })
	l.act(ctx, working)
	resign()
	lease.Wait()
	return nil
}

// Ready reports whether the watched folder can be used.
func (l *Loop) Ready() error {
	if _, err := os.ReadDir(l.o.Folder); err != nil {
		return fmt.Errorf("%w: %w", errGone, err)
	}
	return nil
}

// act looks, submits and moves while this process leads.
func (l *Loop) act(ctx, working context.Context) {
	tick := time.NewTicker(max(min(l.o.Settle/4, l.lookEvery()/2, time.Second), shortest))
	defer tick.Stop()
	dirty, led := true, false
	var lookAt, followAt, statusAt, forgetAt time.Time
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
			return
		case e := <-l.waker.changed():
			l.waker.forget(&e)
			dirty = true
			continue
		case err := <-l.waker.failures():
			l.o.Log.DebugContext(ctx, "notifications were lost: the folder is looked at", "error", err)
			dirty = true
			continue
		case <-l.waker.wake:
			dirty = true
			continue
		case <-tick.C:
		}
		if !l.leads.Load() {
			dirty, led = true, false
			continue
		}
		now := time.Now()
		if !led {
			led = true
			l.o.Log.InfoContext(ctx, "watching a folder", "folder", l.o.Folder, "looks", l.waker.how)
		}
		if !now.Before(followAt) {
			_ = l.watch.Done(ctx, l.follow(ctx, working)) // it logs outages
			followAt = time.Now().Add(followEvery)
		}
		due := l.waker.events != nil && (dirty || l.settle.waiting() > 0) || !now.Before(lookAt.Add(l.waker.every))
		if due && !now.Before(lookAt) {
			dirty = false
			began := time.Now()
			_ = l.watch.Done(ctx, l.lookAll(ctx, working)) // it logs outages
			lookAt = time.Now().Add(l.restAfter(time.Since(began)))
			followAt = time.Time{}
		}
		if !now.Before(forgetAt) && l.found > 0 {
			_ = l.watch.Done(ctx, l.forget(ctx, working)) // it logs outages
			forgetAt = time.Now().Add(forgetEvery)
		}
		if !now.Before(statusAt) {
			l.report(working)
			statusAt = time.Now().Add(statusEvery)
		}
	}
}

// restAfter keeps looks at a large folder from taking more than a tenth of the time.
func (l *Loop) restAfter(look time.Duration) time.Duration { return 9 * look }

func (l *Loop) lookEvery() time.Duration {
	if l.o.Poll > 0 {
		return l.o.Poll
	}
	return time.Second
}

// keepLease keeps one process of a watch at work.
func (l *Loop) keepLease(ctx context.Context) {
	name := "watch " + hashName(l.o.Name)
	try := func() {
		held, err := l.o.Store.AcquireLease(ctx, name, l.o.Holder, leaseTime)
		if l.watch.Done(ctx, err) != nil {
			return // whether it still leads is unknown; what two processes do has one key
		}
		if !held {
			l.notices.once(ctx, slog.LevelWarn, l.o.Folder, "another process watches this folder: "+
				"this one stands by, and takes over when that one ends; "+
				"if it is another folder of this name on another host, give each watch a --name of its own")
		}
		l.leads.Store(held)
		l.o.Metrics.leads(held)
	}
	try()
	sleep.Every(ctx, leaseTime/4, try)
	if !l.leads.Load() {
		return
	}
	ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), leaseTime/10)
	defer cancel()
	if err := l.o.Store.ReleaseLease(ending, name, l.o.Holder); err != nil {
		l.o.Log.WarnContext(ending, "the lease of a watch is not released, it expires by itself", "error", err)
	}
}

// report notes for people what the watch does.
func (l *Loop) report(ctx context.Context) {
	l.status.SeenAt, l.status.Waiting, l.status.How = l.o.Now(), l.settle.waiting(), l.waker.how
	l.o.Metrics.waiting(l.status.Waiting)
	if err := l.o.Store.SaveWatch(ctx, &l.status); err != nil {
		_ = l.watch.Done(ctx, err) // it logs outages
	}
}

// leftOut notes an entry that is not submitted.
func (l *Loop) leftOut(ctx context.Context, path, what string, err error) {
	const message = "an entry of a watched folder is left out"
	if err == nil {
		l.notices.once(ctx, slog.LevelInfo, path, message, "because", what)
		return
	}
	l.status.Problem = path + ": " + what + ": " + err.Error()
	l.trouble(ctx, slog.LevelWarn, path, message, "because", what, "error", err)
}

// trouble logs and counts what went wrong, once.
func (l *Loop) trouble(ctx context.Context, level slog.Level, path, message string, args ...any) {
	if l.notices.once(ctx, level, path, message, args...) {
		l.o.Metrics.problem()
	}
}
