package handlers

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/balerhq/baler/tasks"
)

// DefaultStallLimit is the StallLimit of the built-in handlers that read files.
const DefaultStallLimit = 2 * time.Minute

// StallLimit makes PerFile give up a job that makes no progress for that long: the job ends
// as tasks.OutcomeTimedOut with CodeStalled, and the other files of its batch continue. It
// is for what blocks where no context reaches, such as opening or reading a file of a
// network share that is dead. Only Job.Progress, and opening the file, count as progress.
// The goroutine stays behind until its call returns.
func StallLimit(d time.Duration) PerFileOption { return func(p *perFile) { p.stall = d } }

// Progress reports that the job makes progress; see StallLimit. Call it after each read.
func (j *Job) Progress() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.progressed = time.Now()
}

// idle is how long the job has made no progress.
func (j *Job) idle() time.Duration {
	j.mu.Lock()
	defer j.mu.Unlock()
	return time.Since(j.progressed)
}

// maxStuck is how many goroutines of a handler may stay behind. Each holds a thread of
// the system; above that, jobs wait.
const maxStuck = 256

// lanes are the goroutines of one call of a PerFile handler. Each runs one job at a time.
// One whose job stalls is replaced by another, and no longer waited for.
type lanes struct {
	limit   time.Duration
	stuck   *atomic.Int64
	replace func()

	waited sync.WaitGroup
	mu     sync.Mutex
	busy   map[*lane]*Job
}

type lane struct{ abandoned bool } // under the lock of lanes

func newLanes(p *perFile, replace func()) *lanes {
	return &lanes{limit: p.stall, stuck: &p.stuck, replace: replace, busy: make(map[*lane]*Job)}
}

// begin notes that a lane runs a job.
func (l *lanes) begin(of *lane, job *Job) {
	if l.limit <= 0 {
		return
	}
	job.Progress()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.busy[of] = job
}

// end notes that it has ended. It reports false when the lane was replaced meanwhile.
func (l *lanes) end(of *lane) bool {
	if l.limit <= 0 {
		return true
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.busy, of)
	return !of.abandoned
}

// leave ends a lane.
func (l *lanes) leave(of *lane) {
	if l.end(of) {
		l.waited.Done()
		return
	}
	l.stuck.Add(-1)
}

// wait waits for all lanes but those that are stuck.
func (l *lanes) wait() {
	if l.limit <= 0 {
		l.waited.Wait()
		return
	}
	done := make(chan struct{})
	var watching sync.WaitGroup
	watching.Go(func() { l.watch(done) })
	l.waited.Wait()
	close(done)
	watching.Wait()
}

// watch gives up stalled jobs until done is closed.
func (l *lanes) watch(done <-chan struct{}) {
	t := time.NewTicker(l.limit / 8)
	defer t.Stop()
	for {
		select {
		case <-t.C:
			for _, job := range l.abandonStalled() {
				job.Finish(&Verdict{
					Outcome: tasks.OutcomeTimedOut, Code: CodeStalled,
					Err: fmt.Errorf("nothing could be read for %s: the storage does not answer", l.limit),
				})
				l.replace()
				l.waited.Done()
			}
		case <-done:
			return
		}
	}
}

func (l *lanes) abandonStalled() (stalled []*Job) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for of, job := range l.busy {
		if job.idle() < l.limit || l.stuck.Load() >= maxStuck {
			continue
		}
		l.stuck.Add(1)
		of.abandoned = true
		delete(l.busy, of)
		stalled = append(stalled, job)
	}
	return stalled
}
