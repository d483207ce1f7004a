package handlers

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/balerhq/baler/tasks"
)

// ErrDone is returned for changes that come after the job's end.
var ErrDone = errors.New("the job is done: its result is being recorded")

// Job is one file's task as a handler sees it. A verdict, output and facts can
// be added and replaced until Done; later changes have no effect, so a
// goroutine that outlives its batch does no harm. Job is safe for concurrent
// use. A Handler gets its jobs from the runner.
type Job struct {
	spec JobSpec

	mu      sync.Mutex
	done    bool
	verdict verdict
	output  *boundedOutput // nil until written to
	errors  *boundedOutput
	facts   facts
	started time.Time
	ended   time.Time
	emitted []tasks.File

	takenOver *tasks.Result // see TakeOver

	marks []*folderMark                    // of folders, see Recorded
	lock  func(f *os.File) (ok, held bool) // locks marks; nil: the system does, see lock

	progressed time.Time // see Progress
	begun      bool      // work on this file has begun, see Running
	progress   tasks.Progress
	local      string // see CopyLocally
}

// JobSpec is what a runner knows of a job before it runs. Only File and, for a
// handler that opens it, Opener are needed.
type JobSpec struct {
	File     tasks.File
	Transfer int64 // the number that the database gave the transfer
	Step     int   // number of the recipe's step, from 1
	Attempt  int   // from 1
	Worker   string

	// RunBefore says that a worker may have died during this attempt. Files that it wrote
	// under temporary names still exist.
	RunBefore bool

	Args      any            // the step's arguments, rendered for this file
	Facts     map[string]any // what earlier steps learned; never changed
	MaxOutput int            // bytes kept of each stream; DefaultMaxOutput when zero
	Opener    FileOpener
	Outputs   OutputRoots          // where Create may write; the zero value allows nothing
	MinFree   int64                // bytes to leave free on a disk; 0: DefaultMinFree
	MaxCopy   int64                // bytes of the largest object that CopyLocally copies; 0: DefaultMaxCopy
	Sources   []string             // of the transfer, absolute; none for a list of paths
	Commands  func() CommandAccess // may the recipe's programs run? Nil: no
	Timeout   time.Duration        // for this file, from Start on; none when zero
	Patience  time.Duration        // how long a function may ignore the end of its context: 5 s when zero
	Started   time.Time            // when its batch began; the job starts then unless Start is called

	// TransferUUID is the public id of the transfer; empty: folders of MakeFolder get no marks.
	TransferUUID string

	// EmittedIn reports whether files below a folder are files of the transfer that this step
	// has made of a file. Nil: MakeFolder leaves the folders of earlier attempts alone.
	EmittedIn func(ctx context.Context, f *tasks.File, folder string) (bool, error)

	// EmittedBefore answers Job.EmittedBefore; nil: nothing was emitted before.
	EmittedBefore func(ctx context.Context, f *tasks.File) (EmittedTotal, error)

	OnDone func(*Job)       // called once when the job ends, on the goroutine that ends it; may be nil
	Now    func() time.Time // nil: time.Now
}

// FileOpener opens files for reading; Roots is one.
type FileOpener interface {
	Open(path string) (ReadableFile, error)
}

// NewJob makes a job. It is for runners and tests.
func NewJob(spec JobSpec) *Job { return NewJobs(1, func(int) JobSpec { return spec })[0] }

// NewJobs makes the n jobs of a batch in one allocation; spec describes each of
// them. It is for runners and tests.
func NewJobs(n int, spec func(i int) JobSpec) []*Job {
	all := make([]Job, n)
	jobs := make([]*Job, n)
	for i := range all {
		j := &all[i]
		j.spec = spec(i)
		if j.spec.Now == nil {
			j.spec.Now = time.Now
		}
		j.started = j.spec.Started
		jobs[i] = j
	}
	return jobs
}

// File is the file to work on.
func (j *Job) File() tasks.File { return j.spec.File }

// Transfer is the number that the database gave the file's transfer.
func (j *Job) Transfer() int64 { return j.spec.Transfer }

// Step is the number of the recipe's step, from 1.
func (j *Job) Step() int { return j.spec.Step }

// Attempt counts the attempts of this file at this step, from 1.
func (j *Job) Attempt() int { return j.spec.Attempt }

// Args is the step's `with`, rendered for this file: any JSON value, nil when
// there is none. It may be shared between jobs and must not be changed.
func (j *Job) Args() any { return j.spec.Args }

// DecodeArgs puts the arguments into dst, a pointer. A field that dst does not
// have is an error, which fails the file when returned. Without arguments dst
// stays as it is.
func (j *Job) DecodeArgs(dst any) error { return DecodeArgs(j.spec.Args, dst) }

// DecodeArgs puts a step's arguments into dst, a pointer, like Job.DecodeArgs; for
// checks before anything runs, see WithArgsCheck.
func DecodeArgs(args, dst any) error {
	if args == nil {
		return nil
	}
	if err := decodeStrictly(args, dst); err != nil {
		return Fail(CodeBadArgs, argsError(args, dst, err))
	}
	return nil
}

// Open opens the whole file for reading, if it is a regular file within the folders
// that may be read, or an object within what may be read of object storage; the caller closes it. A function given to PerFile can return
// the error as it is: a missing, forbidden or unsuitable file fails, a storage
// error is retried. A chunk of a split file is an error, too: a handler that
// takes chunks uses OpenChunk.
func (j *Job) Open() (ReadableFile, error) {
	if n := j.spec.File.Part; n > 0 {
		return nil, Fail(CodeNotWholeFile, fmt.Errorf("chunk %d of a file that was split into lines: the handler takes whole files only", n))
	}
	return j.open()
}

// OpenOther opens another file that the work needs, such as a list beside the job's file,
// by the rules of Open; the caller closes it.
func (j *Job) OpenOther(path string) (ReadableFile, error) { return j.openPath(path) }

func (j *Job) open() (ReadableFile, error) { return j.openPath(j.spec.File.Path) }

func (j *Job) openPath(path string) (ReadableFile, error) {
	f, err := j.spec.Opener.Open(path)
	if err != nil {
		return nil, openVerdict(err)
	}
	j.Progress()
	return f, nil
}

// Start notes that work on this file begins now. Without it the file counts as
// begun when its batch began. PerFile calls it.
func (j *Job) Start() {
	now := j.spec.Now()
	j.mu.Lock()
	defer j.mu.Unlock()
	if !j.done {
		j.started, j.begun = now, true
	}
}

// Timeout is how long work on this file may take, from Start on; none when zero. PerFile
// keeps it; a handler that does so itself is registered WithTimedFiles.
func (j *Job) Timeout() time.Duration { return j.spec.Timeout }

// Fact is a value that this step or an earlier one recorded of the file, as
// encoding/json decodes it into an any.
func (j *Job) Fact(name string) (any, bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if v, ok := j.facts.get(name); ok {
		return v, true
	}
	v, ok := j.spec.Facts[name]
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

// SetStatus sets how the file ends; a later verdict replaces it until Done. An
// outcome outside the enumeration is recorded as tasks.OutcomeError with
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
	to  **boundedOutput
}

func (s stream) Write(p []byte) (int, error) {
	if !s.job.append(s.to, p) {
		return 0, ErrDone
	}
	return len(p), nil
}

func (j *Job) append(to **boundedOutput, p []byte) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.done {
		return false
	}
	j.appendLocked(to, p)
	return true
}

func (j *Job) appendLocked(to **boundedOutput, p []byte) {
	if len(p) == 0 {
		return
	}
	if *to == nil {
		*to = newOutput(j.spec.MaxOutput)
	}
	(*to).write(p)
}

// Done ends the job as it stands, so that its result is recorded while others
// of the batch still run. Without a verdict it has succeeded. Calling it again
// has no effect.
func (j *Job) Done() { j.end(nil) }
