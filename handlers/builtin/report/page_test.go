package report

import (
	"encoding/csv"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/handlers/handlertest"
	"github.com/balerhq/baler/internal/builtintest"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/internal/visible"
	"github.com/balerhq/baler/tasks"
)

// odd is a transfer with names and messages that do harm where they are taken literally.
func odd(t *testing.T) handlertest.FinalizerDryRun {
	t.Helper()
	run := handlertest.FinalizerDryRun{Base: t.TempDir(), Transfer: tasks.Transfer{
		Name: "<b>bold</b>", Sources: []string{"/in"}, Recipe: "name: odd\n# <script>alert(2)</script> \x1b[31m\n",
		Steps: []tasks.StepProgress{{Number: 1, Name: "identify", Handler: "identify"}},
		Finalizers: []tasks.FinalizeStep{
			{Number: 1, Name: "sums", State: tasks.FinalizeFailed, Error: "disk <full>"}, {Number: 2, Name: "report", State: tasks.FinalizeRunning},
		},
	}}
	names := []string{"=cmd|' /C calc'!A0", "<script>alert(1)</script>.txt", "\x1b[31mred", "gpj.\u202eexe", "line\r\nend", "\xff", "plain,\"quoted\".txt"}
	for i, name := range names {
		run.Files = append(run.Files, handlers.FinalFile{
			File:  tasks.File{Path: "/in/" + name, Size: int64(i) << 20},
			Facts: map[string]any{"puid": "fmt/1", "format": "=A1<i>", "n": float64(-i), "list": []any{"x"}},
		})
		outcome := []tasks.Outcome{tasks.OutcomeFailed, tasks.OutcomeSucceeded, tasks.OutcomeWarning}[i%3]
		run.Results = append(run.Results, tasks.Result{
			Step: 1, File: int64(i) + 1, Outcome: outcome, Code: "bad", Error: fmt.Sprintf("@SUM(%d) <img src=x>\x1b]0;x\a\u202e", i), Attempt: 1,
		})
	}
	run.Files[1].Facts = nil
	return run
}

func written(t *testing.T, run handlertest.FinalizerDryRun, name, as string) string {
	t.Helper()
	run.Args = map[string]any{"to": name, "as": as}
	builtintest.WantStep(t, builtintest.TryFinalizer(t, Finalize, run), tasks.FinalizeDone, "")
	text, err := os.ReadFile(filepath.Join(run.Base, name))
	testkit.Must(t, err)
	for _, r := range string(text) {
		if r != '\n' && r != '\r' && visible.Unseen(r) {
			t.Errorf("%s contains %q", name, r)
		}
	}
	return string(text)
}

func TestPage(t *testing.T) {
	t.Parallel()
	text := written(t, odd(t), "report.html", "")
	for _, want := range []string{
		"&lt;b&gt;bold&lt;/b&gt;", "With failures", "&lt;script&gt;alert(2)", `\x1b[31m`,
		"fmt/1", "=A1&lt;i&gt;", "not identified", "21 MiB", `width="100.00"`,
		"disk &lt;full&gt;", `>3</td><td>identify</td>`, "@SUM(…) &lt;img src=x&gt;", `gpj.\u202eexe`, "dry-run", "DROID_SignatureFile",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("there is no %s in the page", want)
		}
	}
	for _, wrong := range []string{"<script", "<img", "<b>", "<i>", "src=\"", "href=", "ZgotmplZ"} {
		if strings.Contains(text, wrong) {
			t.Errorf("there is %s in the page", wrong)
		}
	}
	run := odd(t)
	run.Results, run.Transfer.Finalizers = nil, nil
	for i := range run.Files {
		run.Files[i].Facts = nil
	}
	if text := written(t, run, "report.html", ""); !strings.Contains(text, "Nothing failed") || !strings.Contains(text, "<th>Extension</th>") {
		t.Error("without failures and formats the page has them")
	}
}

// A table is what encoding/csv reads, and no cell begins as a formula does.
func TestTables(t *testing.T) {
	t.Parallel()
	for as, want := range map[string]string{
		"csv":   `/in/\x1b[31mred,identify,warning`,
		"files": `/in/gpj.\u202eexe,,3145728,,'=A1<i>,"[""x""]",-3,fmt/1`,
	} {
		text := written(t, odd(t), "report.csv", as)
		rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
		testkit.Must(t, err)
		if len(rows) != 8 || !strings.Contains(text, want) {
			t.Errorf("%d rows; want 8 with %s in\n%s", len(rows), want, text)
		}
		for _, row := range rows {
			for _, cell := range row {
				if strings.HasPrefix(cell, "=") || strings.HasPrefix(cell, "@") {
					t.Errorf("%s: a cell is %q", as, cell)
				}
			}
		}
	}
}

func TestHarmlessCells(t *testing.T) {
	t.Parallel()
	for cell, want := range map[string]string{
		"=1+1": "'=1+1", " =1+1": "' =1+1", "+cmd": "'+cmd", "-2": "-2", "-2+3": "'-2+3", "@x": "'@x", "\t=x": `\t=x`, "＝x": "'＝x",
		"": "", "  ": "  ", "a=b": "a=b", "\xfe": `\xfe`, "ü": "ü", "\u00a0x": `\u00a0x`,
	} {
		if got := harmless(cell); got != want {
			t.Errorf("%q became %q, want %q", cell, got, want)
		}
	}
}

func TestTooManyKindsAreAddedUp(t *testing.T) {
	t.Parallel()
	run := handlertest.FinalizerDryRun{
		Base: t.TempDir(), Args: map[string]any{"to": "r.html"}, Transfer: tasks.Transfer{Steps: []tasks.StepProgress{{Number: 1, Name: "s"}}},
	}
	const n = maxFormats + 20
	for i := range n {
		run.Files = append(run.Files, handlers.FinalFile{File: tasks.File{Path: "/x", Size: 1}, Facts: map[string]any{"puid": fmt.Sprint("fmt/", i)}})
		run.Results = append(run.Results, tasks.Result{Step: 1, File: int64(i) + 1, Outcome: tasks.OutcomeFailed, Code: fmt.Sprint("c", i)})
	}
	builtintest.WantStep(t, builtintest.TryFinalizer(t, Finalize, run), tasks.FinalizeDone, "")
	text, err := os.ReadFile(filepath.Join(run.Base, "r.html"))
	testkit.Must(t, err)
	for _, want := range []string{"<dd>5000+</dd>", "all others", `<td class="n">4,996</td>`, `<td class="n">4,520</td><td colspan="3" class="soft">of other kinds`} {
		if !strings.Contains(string(text), want) {
			t.Errorf("there is no %s", want)
		}
	}
}
