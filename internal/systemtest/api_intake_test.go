package systemtest

import (
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/balerhq/baler"
	"github.com/balerhq/baler/client"
	"github.com/balerhq/baler/config"
	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/internal/store"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

// post sends lines of files, and returns the status of the answer.
func post(t *testing.T, url, lines string) int {
	t.Helper()
	res, err := http.Post(url, "application/x-ndjson", strings.NewReader(lines))
	if err != nil {
		t.Error(err)
		return 0
	}
	testkit.Must(t, res.Body.Close())
	return res.StatusCode
}

// A producer continues after the last file. If somebody else could add a file, the producer
// would skip the files before it.
func TestOnlyTheProducerAddsFiles(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, c config.Config) {
		tree := testkit.NumberedTree(t, 9)
		c.Roots = append(c.Roots, filepath.Dir(tree))
		b := open(t, c, nil)
		s, err := store.Open(t.Context(), c.Database.URL, store.Options{})
		testkit.Must(t, err)
		testkit.CloseAtEnd(t, s)
		url, _ := server(t, b, false)
		r := builtinRecipe(t, "noop")
		for _, intake := range []ledger.Intake{ledger.IntakeServer, ledger.IntakeProducer} {
			for _, sources := range [][]string{{tree}, nil} {
				left, _, err := s.Create(t.Context(), store.NewTransfer{
					Name: "being registered", Via: tasks.ViaBulk, Queue: tasks.DefaultQueue, Recipe: r.YAML(), Sources: sources,
					Steps: []tasks.StepProgress{{Number: 1, Name: "noop", Handler: "noop"}}, Intake: intake,
				})
				testkit.Must(t, err)
				paths := treeFiles(t, tree)
				at := url + "/v1/transfers/" + left.UUID
				if got := post(t, at+"/files", `{"path":"`+paths[len(paths)-1]+`"}`); got != http.StatusConflict {
					t.Errorf("%q, %v: adding a file returns status %d", intake, sources, got)
				}
				if got := post(t, at+"/seal", ""); got != http.StatusConflict {
					t.Errorf("%q, %v: sealing returns status %d", intake, sources, got)
				}
				if now, err := b.Transfer(t.Context(), left.UUID); err != nil || now.Files != 0 || now.State != tasks.StateOpen {
					t.Errorf("%q, %v: it is %s with %d files: %v", intake, sources, now.State, now.Files, err)
				}
			}
		}
		http.DefaultClient.CloseIdleConnections()
	})
}

// When several clients continue at the same place, one succeeds.
func TestTwoClientsThatContinueAtTheSamePlace(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, c config.Config) {
		tree := testkit.NumberedTree(t, 1)
		c.Roots = append(c.Roots, filepath.Dir(tree))
		url, _ := server(t, open(t, c, nil), false)
		tr, err := clientOf(t, url).Submit(t.Context(), client.Submission{Recipe: "noop"})
		testkit.Must(t, err)
		var lines strings.Builder
		for i := range 100 {
			fmt.Fprintf(&lines, "{\"path\":\"%s/%d\",\"size\":1}\n", tree, i)
		}
		const rounds = 5
		for round := range rounds {
			at := fmt.Sprintf("%s/v1/transfers/%s/files?at=%d", url, tr.ID, round*100)
			var accepted atomic.Int64
			var all sync.WaitGroup
			for range 8 {
				all.Go(func() {
					switch got := post(t, at, lines.String()); got {
					case http.StatusOK:
						accepted.Add(1)
					case http.StatusConflict:
					default:
						t.Errorf("status %d", got)
					}
				})
			}
			all.Wait()
			now, err := clientOf(t, url).Transfer(t.Context(), tr.ID)
			if err != nil || accepted.Load() != 1 || now.Files != int64(round+1)*100 {
				t.Fatalf("round %d: %d accepted, and %d files: %v", round, accepted.Load(), now.Files, err)
			}
		}
		http.DefaultClient.CloseIdleConnections()
	})
}

// A source that is deleted before the server registers it ends its transfer with a failure that
// names it; it is not tried for ever.
func TestSourceThatIsGoneWhenTheServerRegistersIt(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, c config.Config) {
		root := t.TempDir()
		c.Roots = append(c.Roots, root)
		testkit.WriteTree(t, root, "there/a")
		b := open(t, c, nil)
		s, err := store.Open(t.Context(), c.Database.URL, store.Options{})
		testkit.Must(t, err)
		testkit.CloseAtEnd(t, s)
		gone := filepath.Join(root, "gone")
		left, _, err := s.Create(t.Context(), store.NewTransfer{
			Name: "gone", Via: tasks.ViaBulk, Queue: tasks.DefaultQueue, Recipe: builtinRecipe(t, "checksum").YAML(),
			Sources: []string{gone, filepath.Join(root, "there")}, Intake: ledger.IntakeServer,
			Steps: []tasks.StepProgress{{Number: 1, Name: "checksum", Handler: "checksum"}},
		})
		testkit.Must(t, err)
		testkit.Must(t, s.DB().Session(t.Context()).Exec("UPDATE transfers SET state = 'interrupted' WHERE id = ?", left.ID).Error)
		server(t, b, true)
		ended := wait(t, b, left.UUID)
		if n := ended.Totals(); ended.State != tasks.StateCompleted || n.Failures() != 1 || n.Succeeded != 1 {
			t.Errorf("it is %s with %+v", ended.State, n)
		}
		for r, err := range b.Results(t.Context(), ended, baler.ResultFilter{}) {
			testkit.Must(t, err)
			if (r.Path == gone) != r.Outcome.IsFailure() || r.Outcome.IsFailure() && r.Error == "" {
				t.Errorf("the result is %+v", r)
			}
		}
	})
}
