package runner

import (
	"context"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

// A heartbeat records how far those files are that take long, and forgets them when they have
// ended.
func TestProgressOfLongFiles(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, url string) {
		r := newEnv(t, url, "name: t\nsteps: [{handler: any}]")
		working, next, ended, goOn := make(chan struct{}), make(chan struct{}), make(chan struct{}), make(chan struct{})
		r.handle("any", func(_ context.Context, jobs []*handlers.Job) error {
			jobs[0].Start() // and says nothing
			jobs[1].Start()
			jobs[1].Done()
			jobs[2].Start()
			jobs[2].SetProgress(tasks.Progress{Items: 45, OfItems: 100, Unit: "members"})
			close(working)
			<-next
			jobs[0].Done()
			jobs[2].Done()
			close(ended)
			<-goOn
			return nil
		})
		batches := r.Files(4)
		var ahead atomic.Int64
		w := r.worker("w", func(o *Options) { o.Now = func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) } })
		answer := make(chan error, 1)
		go func() { answer <- r.deliver(w, &batches[0]) }()
		<-working
		expect := func(when string, want ...int64) []tasks.RunningFile {
			t.Helper()
			r.Must(w.HoldRunning(t.Context()))
			transfer, err := r.Store.TransferByID(t.Context(), batches[0].Transfer)
			r.Must(err)
			work, err := r.Store.LiveWork(t.Context(), &transfer, 1)
			r.Must(err)
			var got []int64
			for _, f := range work.Files {
				got = append(got, f.File)
			}
			slices.Sort(got)
			if !slices.Equal(got, want) {
				t.Errorf("%s: files %v, not %v", when, got, want)
			}
			return work.Files
		}
		expect("at once")
		ahead.Store(int64(longFile))
		files := expect("after some seconds", 1, 3)
		if i := slices.IndexFunc(files, func(f tasks.RunningFile) bool { return f.File == 3 }); i < 0 ||
			files[i].Progress != (tasks.Progress{Items: 45, OfItems: 100, Unit: "members"}) || files[i].Worker != "w" {
			t.Errorf("files: %+v", files)
		}
		close(next)
		<-ended
		expect("when they have ended")
		close(goOn)
		r.Must(<-answer)
		r.finish(w)
		r.audit()
	})
}
