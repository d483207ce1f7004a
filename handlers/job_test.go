package handlers

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

func TestResultTellsEverything(t *testing.T) {
	job := NewJob(JobSpec{
		File: tasks.File{No: 7, Path: "/x/y"}, Step: 2, Attempt: 3, Worker: "w", Now: stopped,
		Started: stopped().In(time.FixedZone("x", 3600)),
	})
	job.WriteOutput([]byte("out"))
	fmt.Fprint(job.ErrorOutput(), "bad \xff")
	testkit.Must(t, errors.Join(job.SetFact("b", 1), job.SetFact("a", []string{"<x>"}), job.SetFact("b", 2)))
	job.SetStatus(0, tasks.OutcomeSucceeded, "")
	job.SetStatus(4, tasks.OutcomeWarning, "odd")
	job.Done()
	at := stopped().Truncate(time.Microsecond)
	want := tasks.Result{
		Step: 2, File: 7, Outcome: tasks.OutcomeWarning, ExitCode: 4, Code: "odd",
		Output: "out", Error: "bad \uFFFD", Facts: []byte(`{"b":2,"a":["\u003cx\u003e"]}`),
		Attempt: 3, Worker: "w", StartedAt: at, EndedAt: at,
	}
	if got := job.Result(); !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestJobWithoutVerdictHasSucceeded(t *testing.T) {
	job := bare()
	if job.decided() || job.IsDone() {
		t.Fatal("a new job is decided or done")
	}
	job.Done()
	if r := job.Result(); r.Outcome != tasks.OutcomeSucceeded || r.ExitCode != 0 || r.Facts != nil || r.Output != "" {
		t.Errorf("got %+v", r)
	}
}

func TestNothingChangesADoneJob(t *testing.T) {
	told := 0
	job := NewJob(JobSpec{OnDone: func(*Job) { told++ }})
	job.Done()
	before := job.Result()
	job.Done()
	job.Start()
	job.SetStatus(1, tasks.OutcomeFailed, "late")
	job.WriteOutput([]byte("late"))
	job.WriteError([]byte("late"))
	if err := job.SetFact("late", true); !errors.Is(err, ErrDone) {
		t.Errorf("SetFact gave %v", err)
	}
	if _, err := io.WriteString(job.Output(), "late"); !errors.Is(err, ErrDone) {
		t.Errorf("Output gave %v", err)
	}
	if job.Finish(RetryLater("late", io.EOF)) || job.Finish(nil) || job.Abandon() {
		t.Error("a done job was ended again")
	}
	if got := job.Result(); !reflect.DeepEqual(got, before) || told != 1 {
		t.Errorf("%+v became %+v, told %d times", before, got, told)
	}
}

func TestAbandonedJobIsNeverRecorded(t *testing.T) {
	job := NewJob(JobSpec{OnDone: func(*Job) { t.Error("recorded") }})
	if !job.Abandon() {
		t.Error("was not open")
	}
	job.Done()
	job.Finish(io.EOF)
}

func TestFinishReplacesTheVerdict(t *testing.T) {
	job := bare()
	job.WriteError([]byte("before."))
	job.SetStatus(42, tasks.OutcomeFailed, "mine")
	if !job.Finish(&Verdict{Outcome: tasks.OutcomeTimedOut, Code: CodeTimeout, Err: errors.New("too slow")}) {
		t.Fatal("was done")
	}
	r := job.Result()
	if r.Outcome != tasks.OutcomeTimedOut || r.Code != CodeTimeout || r.ExitCode != 42 || r.Error != "before.\ntoo slow" {
		t.Errorf("got %+v", r)
	}
}

func TestStatusStaysRecordable(t *testing.T) {
	for _, c := range []struct {
		outcome     tasks.Outcome
		code        string
		want        tasks.Outcome
		wantCode    string
		description string
	}{
		{"great", "x", tasks.OutcomeError, CodeInvalidOutcome, "outside the enumeration"},
		{"", "x", tasks.OutcomeError, CodeInvalidOutcome, "empty"},
		{tasks.OutcomeFailed, strings.Repeat("c", 65), tasks.OutcomeFailed, strings.Repeat("c", 64), "long"},
		{tasks.OutcomeFailed, strings.Repeat("c", 63) + "é", tasks.OutcomeFailed, strings.Repeat("c", 63), "cut within a character"},
		{tasks.OutcomeFailed, "a\x00\xff", tasks.OutcomeFailed, "a\uFFFD\uFFFD", "broken"},
	} {
		job := bare()
		job.SetStatus(0, c.outcome, c.code)
		if r := job.Result(); r.Outcome != c.want || r.Code != c.wantCode {
			t.Errorf("%s: got %s %q", c.description, r.Outcome, r.Code)
		}
	}
}

func TestFactsOfEarlierStepsAndOfThisOne(t *testing.T) {
	job := NewJob(JobSpec{Facts: map[string]any{"puid": "fmt/1", "size": 3.0}})
	if v, ok := job.Fact("puid"); !ok || v != "fmt/1" {
		t.Errorf("got %v %v", v, ok)
	}
	testkit.Must(t, job.SetFact("size", int64(4)))
	if v, ok := job.Fact("size"); !ok || v != 4.0 {
		t.Errorf("got %v %v: not this job's own, as JSON has it", v, ok)
	}
	if _, ok := job.Fact("none"); ok {
		t.Error("a fact from nowhere")
	}
	if got := string(job.Result().Facts); got != `{"size":4}` {
		t.Errorf("earlier facts were recorded again: %s", got)
	}
}

func TestFactsAreBounded(t *testing.T) {
	job := bare()
	big := strings.Repeat("x", MaxFacts/2-20)
	testkit.Must(t, errors.Join(job.SetFact("a", big), job.SetFact("b", big)))
	if err := job.SetFact("c", big); !errors.Is(err, ErrFacts) {
		t.Errorf("too much gave %v", err)
	}
	if err := errors.Join(job.SetFact("b", 1), job.SetFact("c", big)); err != nil {
		t.Errorf("room that was given back could not be used: %v", err)
	}
	if n := len(job.Result().Facts); n > MaxFacts {
		t.Errorf("%d bytes of facts", n)
	}
	for _, name := range []string{"", "1a", "a b", "é", `a"`, strings.Repeat("a", 65)} {
		if err := job.SetFact(name, 1); !errors.Is(err, ErrFacts) {
			t.Errorf("name %q gave %v", name, err)
		}
	}
	if err := job.SetFact("nan", math.NaN()); !errors.Is(err, ErrFacts) {
		t.Errorf("a value that JSON cannot say gave %v", err)
	}
}

func TestDecodeArgsIsStrict(t *testing.T) {
	type args struct {
		Name string `json:"name"`
	}
	got := args{Name: "default"}
	if err := NewJob(JobSpec{}).DecodeArgs(&got); err != nil || got.Name != "default" {
		t.Errorf("no arguments: %v %v", got, err)
	}
	if err := NewJob(JobSpec{Args: map[string]any{"name": "x"}}).DecodeArgs(&got); err != nil || got.Name != "x" {
		t.Errorf("got %v %v", got, err)
	}
	err := NewJob(JobSpec{Args: map[string]any{"title": "x"}}).DecodeArgs(&got)
	if v, _ := verdictOf(err); v.outcome != tasks.OutcomeFailed || v.code != CodeBadArgs {
		t.Errorf("a wrong field gave %v", err)
	}
}

func TestJobIsSafeForLateGoroutines(t *testing.T) {
	job := bare()
	var late sync.WaitGroup
	for range 4 {
		late.Go(func() {
			for i := range 200 {
				job.WriteOutput([]byte("x"))
				job.Start()
				job.SetStatus(i, tasks.OutcomeWarning, "w")
				_ = job.SetFact("n", i) // refused once it is done
				job.Fact("n")
			}
		})
	}
	job.Done()
	first := job.Result()
	late.Wait()
	if last := job.Result(); !reflect.DeepEqual(first, last) {
		t.Errorf("%+v became %+v", first, last)
	}
}

func TestFactsAreWrittenAsByEncodingJSON(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		for _, value := range []any{
			rapid.String().Draw(t, "text"), string(rapid.SliceOf(rapid.Byte()).Draw(t, "bytes")), rapid.Int64().Draw(t, "number"),
			rapid.StringMatching(`[ -~]*`).Draw(t, "plain"),
		} {
			want, err := json.Marshal(value)
			if got, gotErr := encodeFact(value); !bytes.Equal(got, want) || (gotErr == nil) != (err == nil) {
				t.Errorf("%q: %s, %v; want %s", value, got, gotErr, want)
			}
		}
	})
}
