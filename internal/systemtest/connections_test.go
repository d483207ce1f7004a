package systemtest

import (
	"context"
	"fmt"
	"strconv"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/balerhq/baler"
	"github.com/balerhq/baler/config"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

// A chunk of files must not hold a connection while it waits for the previous chunk, even
// when several transfers register at once.
func TestFewConnectionsDoNotBlockSubmit(t *testing.T) {
	t.Parallel()
	for _, connections := range []int{1, 2, 3} {
		t.Run(strconv.Itoa(connections), func(t *testing.T) {
			onEach(t, func(t *testing.T, c config.Config) {
				const files = 7000
				c.Database.MaxConnections = connections
				root := testkit.NumberedTree(t, files)
				b := open(t, c, nil)
				ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
				defer cancel()
				var submits errgroup.Group
				for range 2 {
					submits.Go(func() error {
						tr, _, err := b.Submit(ctx, baler.Submission{Paths: []string{root}, Recipe: yaml(t, "name: noop\nsteps: [{handler: noop}]"), Via: tasks.ViaBulk})
						if err == nil && tr.Files != files {
							err = fmt.Errorf("%d files are registered, want %d", tr.Files, files)
						}
						return err
					})
				}
				testkit.Must(t, submits.Wait())
			})
		})
	}
}
