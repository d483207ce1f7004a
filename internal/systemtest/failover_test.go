package systemtest

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/balerhq/baler"
	"github.com/balerhq/baler/config"
	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/handlers/builtin"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

// The master dies in the middle of a transfer. Its replica may lack its last writes, which it
// had acknowledged. Every file has one result nevertheless, and so have those of a transfer that
// is submitted before a replica has taken its place.
func TestRedisFailsOver(t *testing.T) {
	t.Parallel()
	for name, start := range map[string]func(testing.TB) *testkit.RedisFailover{
		"sentinel": testkit.NewRedisSentinel, "cluster": testkit.NewRedisCluster,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			servers := start(t)
			c, err := config.Load(config.Sources{Env: []string{"BALER_STATE_DIR=" + t.TempDir()}})
			testkit.Must(t, err)
			c.Worker.Grace, c.Worker.Concurrency = 5*time.Second, 2
			c.Redis.URL, c.Database.URL, c.Roots = servers.URL, testkit.MySQL(t), testkit.Roots()

			const files = 400
			var seen atomic.Int64
			halfway, resume := make(chan struct{}), make(chan struct{})
			reg := builtin.Registry()
			testkit.Must(t, reg.Register("halting", handlers.HandlerFunc(func(ctx context.Context, jobs []*handlers.Job) error {
				n := seen.Add(int64(len(jobs)))
				if n < files {
					return nil
				}
				if n-int64(len(jobs)) < files {
					close(halfway)
				}
				select {
				case <-resume:
					return nil
				case <-ctx.Done():
					return ctx.Err()
				}
			})))
			b := open(t, c, reg)
			work(t, b)
			submission := func(via tasks.Via) baler.Submission {
				return baler.Submission{
					Paths: []string{testkit.NumberedTree(t, files)}, Via: via,
					Recipe: yaml(t, "name: t\nsteps:\n  - {handler: halting, batch: {max_items: 20, max_delay: 100ms}}\n  - {handler: noop}\n"),
				}
			}
			bulk, group := submit(t, b, submission(tasks.ViaBulk)), submit(t, b, submission(tasks.ViaGroup))
			<-halfway
			servers.KillMaster()
			killed := time.Now()
			close(resume)
			late := submit(t, b, submission(tasks.ViaGroup))
			for _, tr := range []tasks.Transfer{bulk, group, late} {
				ended := wait(t, b, tr.UUID)
				audit(t, b, ended)
				if done := ended.Totals().Succeeded; done != 2*files {
					t.Errorf("%s has %d good results, want %d", tr.Via, done, 2*files)
				}
			}
			t.Logf("all have ended %v after the master was killed", time.Since(killed).Round(10*time.Millisecond))
		})
	}
}
