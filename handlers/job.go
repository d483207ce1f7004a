package handlers

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/balerhq/baler/internal/tableload"
	"github.com/balerhq/baler/tasks"
)

// ErrDone is what a job answers to changes that come after its Done.
var ErrDone = errors.New("the job is done: its result is on its way to be recorded")

// Job is one file's task as a handler sees it. A verdict, output and facts can
// be added and replaced until Done; later changes have no effect, so a
// goroutine that outlives its batch does no harm. Job is safe for concurrent
// use. A Handler gets its jobs from the runner; there is no other way to make one.
type Job struct {
	spec jobSpec

	mu      sync.Mutex
	done    bool
	verdict verdict
	output  *capture // nil until written to
	errors  *capture
	facts   facts
	started time.Time
	ended   time.Time
}

// jobSpec is what the runner knows of a job before it runs.
type jobSpec struct {
	file    tasks.File
	args    any            // the step's arguments, rendered for this file
	facts   map[string]any // what earlier steps learnt; never changed
	capture int            // bytes kept of each stream; DefaultMaxOutput when zero
	opener  opener
	onDone  func(*Job) // called once when the job is done, by whoever ends it; may be nil
	now     func() time.Time
	step    int
	attempt int
	worker  string

	transfer int64
	tables   *tableload.Store // nil without a worker
	metrics  *Metrics
}

// opener is what a job opens its file with: Roots, or a test's own.
type opener interface {
	Open(path string) (*os.File, error)
}

func newJob(spec jobSpec) *Job {
	if spec.now == nil {
		spec.now = time.Now
	}
	return &Job{spec: spec}
}

// File is the file to work on.
func (j *Job) File() tasks.File { return j.spec.file }

// Step is the number of the recipe's step, from 1.
func (j *Job) Step() int { return j.spec.step }

// Attempt counts the tries of this file at this step, from 1.
func (j *Job) Attempt() int { return j.spec.attempt }

// Args is the step's `with`, rendered for this file: any JSON value, nil when
// there is none. It may be shared between jobs and must not be changed.
func (j *Job) Args() any { return j.spec.args }

// DecodeArgs puts the arguments into dst, a pointer. A field that dst does not
// have is an error, which fails the file when returned. Without arguments dst
// stays as it is.
func (j *Job) DecodeArgs(dst any) error { return decodeArgs(j.spec.args, dst) }

func decodeArgs(args, dst any) error {
	if args == nil {
		return nil
	}
	text, err := json.Marshal(args)
	if err != nil {
		return Fail(CodeBadArgs, fmt.Errorf("encode arguments: %w", err))
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(dst); err != nil {
		return Fail(CodeBadArgs, fmt.Errorf("arguments: %w", err))
	}
	return nil
}

// Open opens the whole file for reading, if it is a regular file within the folders
// that may be read; the caller closes it. An error that a function given to
// VariantPerFile returns as it is ends the file rightly: a missing, forbidden or
// unsuitable file has failed, trouble with the storage is tried again. Of a file
// that was split into parts it gives none: a handler that takes parts uses OpenChunk.
func (j *Job) Open() (*os.File, error) {
	if part := j.spec.file.Part; part > 0 {
		return nil, Fail(CodeNotWholeFile, fmt.Errorf("part %d of a file that was split into lines: the handler takes whole files only", part))
	}
	return j.open()
}

func (j *Job) open() (*os.File, error) {
	f, err := j.spec.opener.Open(j.spec.file.Path)
	if err != nil {
		return nil, openVerdict(err)
	}
	return f, nil
}

// Start says that work on this file begins now. Unless it is called, the file
// began when its batch did. VariantPerFile calls it.
func (j *Job) Start() { j.start(j.spec.now()) }

func (j *Job) start(t time.Time) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if !j.done {
		j.started = t
	}
}

// Fact is a value that this step or an earlier one learnt of the file, as
// encoding/json decodes it into an any.
func (j *Job) Fact(name string) (any, bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if v, ok := j.facts.get(name); ok {
		return v, true
	}
	v, ok := j.spec.facts[name]
	return v, ok
}

// SetFact records a value that can be written as JSON, replacing one of the
// same name. A job's facts together take at most MaxFacts bytes.
func (j *Job) SetFact(name string, value any) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.done {
		return ErrDone
	}
	if err := j.facts.set(name, value); err != nil {
		return fmt.Errorf("set fact %q: %w", name, err)
	}
	return nil
}

// SetStatus says how the file ends, unless something replaces it before Done.
// An outcome outside the enumeration is recorded as tasks.Error with
// CodeInvalidOutcome. After Done it has no effect.
func (j *Job) SetStatus(exitCode int, outcome tasks.Outcome, code string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if !j.done {
		j.verdict = newVerdict(exitCode, outcome, code)
	}
}

// WriteOutput appends to what is recorded as the file's output. Of a long
// stream the head and the tail are kept. After Done it has no effect.
func (j *Job) WriteOutput(p []byte) { j.append(&j.output, p) }

// WriteError appends to what is recorded as the file's error output.
func (j *Job) WriteError(p []byte) { j.append(&j.errors, p) }

// Output is WriteOutput as a writer; it gives ErrDone after Done.
func (j *Job) Output() io.Writer { return stream{j, &j.output} }

// ErrorOutput is WriteError as a writer; it gives ErrDone after Done.
func (j *Job) ErrorOutput() io.Writer { return stream{j, &j.errors} }

type stream struct {
	job *Job
	to  **capture
}

func (s stream) Write(p []byte) (int, error) {
	if !s.job.append(s.to, p) {
		return 0, ErrDone
	}
	return len(p), nil
}

func (j *Job) append(to **capture, p []byte) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.done {
		return false
	}
	j.appendLocked(to, p)
	return true
}

func (j *Job) appendLocked(to **capture, p []byte) {
	if len(p) == 0 {
		return
	}
	if *to == nil {
		*to = newCapture(j.spec.capture)
	}
	(*to).write(p)
}

// Done ends the job as it stands, so that its result is recorded while others
// of the batch still run. Without a verdict it has succeeded. Calling it again
// has no effect.
func (j *Job) Done() { j.end(nil) }
