package runner

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

// learner gives each file a kind by its number.
func (r *env) learner() handlers.HandlerFunc {
	return func(_ context.Context, jobs []*handlers.Job) error {
		for _, j := range jobs {
			if err := j.SetFact("kind", []string{"even", "odd"}[j.File().No%2]); err != nil {
				return err
			}
		}
		return nil
	}
}

func TestConditionsReadWhatStepsLearn(t *testing.T) {
	testkit.EachDatabase(t, func(t *testing.T, url string) {
		r := newEnv(t, url, `name: t
steps:
  - {handler: learn}
  - {name: evens, handler: note, when: 'facts.kind == "even"', with: {text: "${name} is ${facts.kind}"}, batch: {max_items: 3}}
  - {name: nobody, handler: note, when: 'facts.kind == "neither"'}
  - {name: big, handler: note, when: 'size > 7', with: {number: "${size}"}}`)
		r.handle("learn", r.learner())
		r.handle("note", func(_ context.Context, jobs []*handlers.Job) error {
			for _, j := range jobs {
				fmt.Fprint(j.Output(), j.Args())
			}
			return nil
		})
		r.Files(10) // sizes 0 to 9
		r.finish(r.worker("w"))
		tr := r.audit()
		for i, want := range []int64{10, 5, 0, 2} {
			if got := tr.Steps[i].Selected; got != want {
				t.Errorf("step %s took %d files, want %d", tr.Steps[i].Name, got, want)
			}
		}
		if got := r.Results(2)[4].Output; got != "map[text:f0004.txt is even]" {
			t.Errorf("arguments of file 4 are %s", got)
		}
		if got := r.Results(4)[9].Output; got != "map[number:8]" {
			t.Errorf("arguments of file 9 are %s", got)
		}
	})
}

// Also when the recipe itself reads none.
func TestHandlersReadWhatEarlierStepsLearned(t *testing.T) {
	testkit.EachDatabase(t, func(t *testing.T, url string) {
		r := newEnv(t, url, "name: t\nsteps: [{handler: learn}, {handler: ask}]")
		r.handle("learn", r.learner())
		r.handle("ask", func(_ context.Context, jobs []*handlers.Job) error {
			for _, j := range jobs {
				kind, ok := j.Fact("kind")
				fmt.Fprintf(j.Output(), "%v %t", kind, ok)
			}
			return nil
		})
		r.Files(2)
		r.finish(r.worker("w"))
		r.audit()
		for file, want := range map[int64]string{1: "odd true", 2: "even true"} {
			if got := r.Results(2)[file].Output; got != want {
				t.Errorf("file %d: the handler read %q, want %q", file, got, want)
			}
		}
	})
}

func TestFilesThatNoStepSelectsEndWithoutRows(t *testing.T) {
	testkit.EachDatabase(t, func(t *testing.T, url string) {
		r := newEnv(t, url, "name: t\nsteps: [{handler: learn, when: 'size > 4'}]")
		r.handle("learn", r.learner())
		r.Files(10)
		r.finish(r.worker("w"))
		if tr := r.audit(); tr.Finished != 10 || tr.Steps[0].Selected != 5 {
			t.Errorf("%d finished, %d routed", tr.Finished, tr.Steps[0].Selected)
		}
	})
}

// When a condition cannot be evaluated for a file, that file fails, with the reason.
func TestConditionsAndArgumentsThatCannotBeEvaluated(t *testing.T) {
	testkit.EachDatabase(t, func(t *testing.T, url string) {
		r := newEnv(t, url, `name: t
steps:
  - {handler: learn}
  - {name: asks, handler: learn, when: 'facts.kind == "odd" ? facts.kind > 3 : false', on_failure: continue}
  - {name: says, handler: learn, with: {text: "a ${facts.nothing} b"}}`)
		r.handle("learn", r.learner())
		r.Files(4)
		r.finish(r.worker("w"))
		tr := r.audit()
		if tr.Steps[1].Failed != 2 || tr.Steps[1].Selected != 2 || tr.Steps[2].Failed != 4 {
			t.Errorf("counted %+v", tr.Steps)
		}
		if got := r.Results(2)[1]; got.Code != handlers.CodeBadCondition || !strings.Contains(got.Error, "facts.kind > 3") {
			t.Errorf("file 1 at the condition: %+v", got)
		}
		if got := r.Results(3)[2]; got.Code != handlers.CodeBadTemplate || !strings.Contains(got.Error, "facts.nothing") {
			t.Errorf("file 2 at the arguments: %+v", got)
		}
	})
}

func TestOnFailure(t *testing.T) {
	for conduct, want := range map[string]int64{"stop": 2, "continue": 5} {
		t.Run(conduct, func(t *testing.T) {
			testkit.EachDatabase(t, func(t *testing.T, url string) {
				r := newEnv(t, url, "name: t\nsteps: [{handler: ends, retry: {attempts: 1}, on_failure: "+conduct+"}, {handler: after}]")
				r.handle("ends", endAs(tasks.OutcomeSucceeded, tasks.OutcomeWarning, tasks.OutcomeFailed, tasks.OutcomeError, tasks.OutcomeTimedOut, tasks.OutcomeCanceled))
				r.handle("after", func(context.Context, []*handlers.Job) error { return nil })
				r.Files(6)
				r.finish(r.worker("w"))
				if got := r.audit().Steps[1].Selected; got != want {
					t.Errorf("%d files went on, want %d", got, want)
				}
			})
		})
	}
}

// A problem of the scan is the result of the first step that takes the file.
func TestFilesThatTheScanCouldNotRead(t *testing.T) {
	testkit.EachDatabase(t, func(t *testing.T, url string) {
		r := newEnv(t, url, "name: t\nsteps: [{handler: learn}]")
		ran := 0
		r.handle("learn", func(_ context.Context, jobs []*handlers.Job) error { ran += len(jobs); return nil })
		r.Register([]tasks.File{
			{Path: "/a", ScanError: "not-found: no such file"}, {Path: "/b"}, {Path: "/c", ScanError: "odd"},
		})
		r.finish(r.worker("w"))
		r.audit()
		got := r.Results(1)
		if ran != 1 || got[1].Outcome != tasks.OutcomeFailed || got[1].Code != "not-found" || got[1].Error != "no such file" || got[3].Error != "odd" {
			t.Errorf("%d ran; recorded %+v", ran, got)
		}
	})
}
