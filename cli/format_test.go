package cli

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/mattn/go-runewidth"

	"github.com/balerhq/baler/tasks"
)

func TestQuoted(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]string{
		"/plain/päth with space": "/plain/päth with space",
		"/new\nline":             `"/new\nline"`,
		"/esc\x1b[31m":           `"/esc\x1b[31m"`,
		"/bad\xff":               `"/bad\xff"`,
		"":                       `""`,
	} {
		equal(t, fmt.Sprintf("%q", path), quoted(path), want)
	}
}

func TestSpans(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{
		120 * time.Millisecond: "0.1s", 9 * time.Second: "9.0s", 61 * time.Second: "1m1s", 90 * time.Minute: "1h30m", 72 * time.Hour: "3d",
	} {
		equal(t, d.String(), span(d), want)
	}
	equal(t, "age", age(300*time.Millisecond), "0s")
}

func TestTableAlignsByWidthNotBytes(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	table := newTable(words("NAME"), numbers("N"))
	table.row("\u65e5\u672c", "1,000")
	table.row("päth", "2")
	table.write(&out)
	equal(t, "table", out.String(), "NAME      N\n\u65e5\u672c  1,000\npäth      2\n")
}

// Tables fit a terminal of 80 columns, with every outcome and long names.
func TestTablesFit(t *testing.T) {
	t.Parallel()
	tr := &tasks.Transfer{ID: 12345, State: tasks.StateRunning, Files: 234_567, Steps: []tasks.StepProgress{{
		Name: strings.Repeat("step-", 10), Handler: strings.Repeat("handler-", 8), Selected: 234_567,
	}}}
	for _, o := range tasks.Outcomes() {
		tr.Steps[0].Add(o, 1234)
	}
	tr.Finalizers = []tasks.FinalizeStep{{Name: strings.Repeat("final-", 10), State: tasks.FinalizeFailed, Error: strings.Repeat("a word ", 30)}}
	var out bytes.Buffer
	(&program{name: "baler"}).report(&out, tr, time.Now())
	for line := range strings.Lines(out.String()) {
		if n := runewidth.StringWidth(strings.TrimSuffix(line, "\n")); n > plainWidth {
			t.Errorf("%d columns: %s", n, line)
		}
	}
	contains(t, "report", out.String(), "FILES", "LEFT", "CANCEL", "\nstep-", "…  234,567  ")
	if n := strings.Count(out.String(), "word"); n != 30 {
		t.Errorf("%d of 30 words of the message are shown:\n%s", n, out.String())
	}
}

func TestTableShrinks(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	table := newTable(numbers("ID"), column{title: "NAME", shrink: start}, column{title: "NOTE", shrink: wrap}).within(30)
	table.row("1", "/srv/archive/2024/january", "what has to be said about it, and averyveryverylongword")
	table.row("2", "short", "")
	table.write(&out)
	table.next(&out, "3", "/srv/archive/2024/february", "x")
	equal(t, "table", out.String(), `ID  NAME          NOTE
 1  …024/january  what has to
                  be said
                  about it,
                  and
                  averyveryverylongword
 2  short
 3  …24/february  x
`)
}

func TestTailKeepsTheEnd(t *testing.T) {
	t.Parallel()
	equal(t, "long", tail("/srv/archive/2024", 8), "…ve/2024")
	equal(t, "short", tail("/srv", 8), "/srv")
}

// transfer of two steps.
func transfer(state tasks.State, files, first, second int64) *tasks.Transfer {
	t := &tasks.Transfer{State: state, Files: files, Bytes: 20 * files, Finished: second, Steps: []tasks.StepProgress{{Number: 1}, {Number: 2}}}
	t.Steps[0].Add(tasks.OutcomeSucceeded, first)
	t.Steps[1].Add(tasks.OutcomeSucceeded, second)
	return t
}

func TestPaceCountsStepsNotOnlyFinishedFiles(t *testing.T) {
	t.Parallel()
	start := time.Now()
	var p progressRate
	p.see(read(transfer(tasks.StateOpen, 100, 0, 0), start))
	equal(t, "while scanning", p.line(), "0 / 200 steps of 100 files, scanning")
	p.see(read(transfer(tasks.StateRunning, 1000, 200, 0), start.Add(2*time.Second)))
	equal(t, "while all are at the first step", p.line(), "200 / 2,000 steps of 1,000 files, 10%, 50 files/s, 1000 B/s, 18s left")
	last := transfer(tasks.StateCompleted, 1000, 1000, 1000)
	last.Steps[1].Add(tasks.OutcomeFailed, 3)
	p.see(read(last, start.Add(4*time.Second)))
	equal(t, "at the end", p.line(), "1,000 / 1,000 files, 100%, 3 failed")
}

func TestPaceOfFilesThatSkipSteps(t *testing.T) {
	t.Parallel()
	tr := transfer(tasks.StateRunning, 10, 10, 0)
	tr.Finished = 10 // no condition selected any for the second step
	if r := read(tr, time.Now()); r.done != r.files*r.steps {
		t.Errorf("done %d of %d", r.done, r.files*r.steps)
	}
}

func TestNotesFit(t *testing.T) {
	t.Parallel()
	notes := []string{"50%", "100 files/s", "1m left", "3 failed"}
	equal(t, "wide", fit(notes, 60), "50%  100 files/s  1m left  3 failed")
	equal(t, "narrow", fit(notes, 24), "50%  1m left  3 failed")
	equal(t, "narrowest", fit(notes, 1), "50%  3 failed")
}

func TestLinesKeepTheLastReport(t *testing.T) {
	t.Parallel()
	var out buffer
	l := &lineProgress{p: &program{stderr: newConsole(&out)}}
	start := time.Now()
	for i := range int64(8) {
		l.show(read(transfer(tasks.StateRunning, 70, i*10, i*10), start.Add(time.Duration(i)*time.Second)))
	}
	l.show(read(transfer(tasks.StateCompleted, 70, 70, 70), start.Add(7100*time.Millisecond)))
	l.end()
	got := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(got) != 2 || !strings.HasPrefix(got[0], "100 / 140 steps of 70 files, 71%") || got[1] != "70 / 70 files, 100%" {
		t.Errorf("reports %q, want one after five seconds and the last", got)
	}
}

func TestExitCodeOfATransfer(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		state tasks.State
		end   tasks.Outcome
		want  error
	}{
		{"all well", tasks.StateCompleted, tasks.OutcomeSucceeded, nil},
		{"with a warning", tasks.StateCompleted, tasks.OutcomeWarning, nil},
		{"with a failure", tasks.StateCompleted, tasks.OutcomeTimedOut, codeError(exitFailures)},
		{"with a canceled file", tasks.StateCompleted, tasks.OutcomeCanceled, codeError(exitFailures)},
		{"canceled before it began", tasks.StateCanceled, "", codeError(exitFailures)},
	} {
		tr := tasks.Transfer{State: c.state, Steps: []tasks.StepProgress{{}}}
		if c.end != "" {
			tr.Steps[0].Add(c.end, 1)
		}
		if got := failed(&tr); !errors.Is(got, c.want) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}
