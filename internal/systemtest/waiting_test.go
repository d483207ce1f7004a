package systemtest

import (
	"fmt"
	"testing"

	"github.com/balerhq/baler"
	"github.com/balerhq/baler/config"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

// The status of a transfer says when a limit on files per second delays it.
func TestStatusSaysThatARateLimitIsReached(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, c config.Config) {
		b := open(t, c, nil)
		rate := 0.5
		_, err := b.SetLimit(t.Context(), tasks.ScopeQueue, "default", tasks.LimitChange{FilesPerSecond: &rate})
		testkit.Must(t, err)
		work(t, b)
		tr := submit(t, b, baler.Submission{Paths: []string{testkit.NumberedTree(t, 100)}, Via: tasks.ViaBulk, Recipe: yaml(t, "name: t\nsteps: [{handler: noop}]")})
		testkit.Eventually(t, hung, func() error {
			read, err := b.Transfer(t.Context(), tr.UUID)
			testkit.Must(t, err)
			one := []tasks.Transfer{read}
			testkit.Must(t, b.Explain(t.Context(), one))
			if want := "its turn: the limit of 0.5 files per second in queue default is reached"; one[0].WaitingFor != want {
				return fmt.Errorf("%d of %d files are done, and it waits for %q, not for %q", read.Finished, read.Files, one[0].WaitingFor, want)
			}
			return nil
		})
	})
}
