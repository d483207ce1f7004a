package report

import (
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/handlers/handlertest"
	"github.com/balerhq/baler/internal/builtintest"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

var update = flag.Bool("update", false, "write the golden files")

func TestArguments(t *testing.T) {
	t.Parallel()
	builtintest.WantArgs(t, Register, "report", map[string]any{"to": "/x"}, map[string]any{
		"to is missing":        nil,
		"there is no argument": map[string]any{"too": "/x"},
	})
}

func TestReportGolden(t *testing.T) {
	t.Parallel()
	out := t.TempDir()
	created := time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC)
	tr := tasks.Transfer{
		UUID: "0195506f-8c00-7000-8000-000000000001", State: tasks.StateFinalizing, Files: 3, Bytes: 30, Finished: 3, CreatedAt: created,
		EndedAt:    created.Add(2 * time.Second), // as if it had ended, for the same seconds in every run
		Steps:      []tasks.StepProgress{{Number: 1, Name: "checksum", Selected: 3, Counts: tasks.Counts{Succeeded: 1, Failed: 1, TimedOut: 1}}},
		Finalizers: []tasks.FinalizeStep{{Number: 1, Name: "report", State: tasks.FinalizeRunning}},
	}
	step := builtintest.TryFinalizer(t, Finalize, handlertest.FinalizerDryRun{
		Transfer: tr, Base: out, Args: map[string]any{"to": "report.json"},
		Files: []handlers.FinalFile{{File: tasks.File{Path: "/x/a\n\"b\""}}, {File: tasks.File{Path: "/x/\xff"}}, {File: tasks.File{Path: "/x/c"}}},
		Results: []tasks.Result{
			{Step: 1, File: 2, Outcome: tasks.OutcomeTimedOut, Code: "timeout", Error: "too slow", Attempt: 3},
			{Step: 1, File: 1, Outcome: tasks.OutcomeFailed, Code: "not-found", Error: "no such file\nat all", Attempt: 1},
			{Step: 1, File: 3, Outcome: tasks.OutcomeSucceeded, Attempt: 1},
		},
	})
	builtintest.WantStep(t, step, tasks.FinalizeDone, "")
	got, err := os.ReadFile(filepath.Join(out, "report.json"))
	testkit.Must(t, err)
	testkit.Golden(t, "testdata/report.golden.json", string(got), *update)
}
