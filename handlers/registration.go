package handlers

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/balerhq/baler/tasks"
)

// Registration is what the registry knows of a handler, defaults filled in.
// A recipe's step and the configuration take precedence over it.
type Registration struct {
	Name        string
	Handler     Handler   // nil for a finalizer
	Finalizer   Finalizer // nil for a handler of steps
	Description string    // one line for people
	Slots       SlotUse   // how much of the host a batch takes
	Limits      []string  // names of limits that apply to its batches, see WithLimits
	Timeouts    Timeouts
	Batch       tasks.BatchPolicy // fields that are zero come from the global default
	Retry       tasks.RetryPolicy

	// TimesFiles says that the handler itself ends a file whose time has run out, see
	// Job.Timeout, as those made by PerFile do.
	TimesFiles bool

	// IgnoresFacts says that the handler does not call Job.Fact, which saves reading what
	// earlier steps recorded.
	IgnoresFacts bool

	// Reuse says whether results can be taken over, and ReuseVersion changes whenever older
	// ones no longer can; see WithReuse.
	Reuse        ReuseScope
	ReuseVersion string
	ReuseState   func(args any, dir string) (text string, ok bool) // see WithReuseState; nil for none

	// CheckArgs says beforehand whether a step's `with` suits the handler; nil
	// accepts everything.
	CheckArgs func(args any) error

	// Facts names the facts that a job with these arguments may record; nil when they
	// are not known. Recipes are checked against them.
	Facts func(args any) []string

	// Programs names the programs that a job with these arguments runs; nil for none, or when
	// they are not known. In the arguments, templates are as the recipe has them.
	Programs func(args any) []string

	// MissingServices says which services a job with these arguments needs and that do not
	// answer on this host; nil for none. Templates are as in Programs.
	MissingServices func(ctx context.Context, args any) []ServiceProblem

	// Output says where a finalizer with these arguments writes; nil when that is not known
	// beforehand.
	Output func(args any) Output

	// KeepsFolders says that what a finalizer writes depends on the folders of the sources.
	KeepsFolders bool

	// Inputs names the files that a finalizer with these arguments reads besides those of
	// the transfer; nil for none.
	Inputs func(args any) []string

	// Docs is for the page about the handler, see DocArg, DocFact and DocCode.
	Docs Documentation

	// SelfCheck is for `baler doctor`; nil when there is nothing to check.
	SelfCheck *SelfCheck
}

// Timeouts are the time limits of a step; zero is none.
type Timeouts struct {
	// File is for one file, from when work on it begins; of a final step, for one attempt.
	File time.Duration

	// Batch is for all files of a batch together, from when the handler gets them.
	Batch time.Duration
}

// SelfCheck checks what a handler needs on its host, such as a program or a
// database of signatures.
type SelfCheck struct {
	Name string // what is checked, as doctor shows it
	Hint string // what to do when it fails
	Run  func() (found string, err error)
}

// ServiceProblem is a service that a handler needs, and that does not answer.
type ServiceProblem struct {
	Problem string // which, what is wrong with it, and how to get it; one sentence without its point
	Effect  string // how files end without it: one sentence
}

// Output is what a finalizer writes.
type Output struct {
	Path   string // as it is given to Create or CreateFolder; empty for nothing
	Folder bool
}

// SlotUse is how many of a host's slots one batch of a handler takes: OneSlot,
// AllSlots, or any number above zero.
type SlotUse int

// The two that have names.
const (
	OneSlot  SlotUse = 1
	AllSlots SlotUse = -1
)

// Of is the number of slots out of a host's total: from 1 to total.
func (s SlotUse) Of(total int) int {
	if s == AllSlots {
		return total
	}
	return max(1, min(int(s), total))
}

func (s SlotUse) String() string {
	switch s {
	case AllSlots:
		return "all"
	case OneSlot:
		return "one"
	}
	return strconv.Itoa(int(s))
}

// Option adjusts a registration.
type Option func(*Registration)

// WithDescription says in one line what the handler does.
func WithDescription(line string) Option { return func(r *Registration) { r.Description = line } }

// WithSlots sets how many of the host's slots a batch takes; OneSlot without it.
func WithSlots(s SlotUse) Option { return func(r *Registration) { r.Slots = s } }

// WithLimits names limits that apply to all batches of the handler, such as "gpu". How many
// batches may run at once, or files a second, is set by name for all workers together, with
// `baler limit --name gpu`. A name without a limit limits nothing.
func WithLimits(names ...string) Option {
	return func(r *Registration) { r.Limits = append(r.Limits, names...) }
}

// WithTimeout limits how long one file may take, from when work on it begins, or one
// attempt of a final step; without it there is no limit. It is for handlers made by
// PerFile, and for others together with WithTimedFiles.
func WithTimeout(d time.Duration) Option { return func(r *Registration) { r.Timeouts.File = d } }

// WithBatchTimeout limits how long a batch may take; without it there is no limit. Files
// that are not done by then have timed out, whichever of them was slow.
func WithBatchTimeout(d time.Duration) Option {
	return func(r *Registration) { r.Timeouts.Batch = d }
}

// WithTimedFiles says that the handler keeps Job.Timeout for each of its files.
func WithTimedFiles() Option { return func(r *Registration) { r.TimesFiles = true } }

// WithoutEarlierFacts says that the handler does not call Job.Fact: a worker then reads what
// earlier steps recorded only when the recipe itself needs it, which saves a query for each
// batch.
func WithoutEarlierFacts() Option { return func(r *Registration) { r.IgnoresFacts = true } }

// WithBatch sets the handler's default batch policy.
func WithBatch(p tasks.BatchPolicy) Option { return func(r *Registration) { r.Batch = p } }

// WithRetry sets the handler's default retry policy.
func WithRetry(p tasks.RetryPolicy) Option { return func(r *Registration) { r.Retry = p } }

// WithArgsCheck checks a step's arguments before anything runs.
func WithArgsCheck(check func(args any) error) Option {
	return func(r *Registration) { r.CheckArgs = check }
}

// CheckWith makes a check of a step's arguments, see WithArgsCheck, of the function
// that reads them.
func CheckWith[T any](read func(args any) (T, error)) func(args any) error {
	return func(args any) error {
		_, err := read(args)
		return err
	}
}

// WithFacts names the facts that the handler may record, if they do not depend on its
// arguments; without names it records none. A recipe that reads another one after it is
// refused. Without this option, or WithFactsOf, the handler may record any.
func WithFacts(names ...string) Option { return WithFactsOf(func(any) []string { return names }) }

// WithFactsOf is WithFacts for facts that depend on a step's arguments.
func WithFactsOf(facts func(args any) []string) Option {
	return func(r *Registration) { r.Facts = facts }
}

// WithPrograms names the programs that the handler runs with a step's arguments, so that
// those which are missing are named before a transfer begins.
func WithPrograms(programs func(args any) []string) Option {
	return func(r *Registration) { r.Programs = programs }
}

// WithServices says which services, such as a scanner that runs on the host, a step with
// given arguments needs and are missing, so that they are named before a transfer begins. The
// function must return soon.
func WithServices(missing func(ctx context.Context, args any) []ServiceProblem) Option {
	return func(r *Registration) { r.MissingServices = missing }
}

// WithOutput says where a finalizer writes, so that a folder inside the sources is refused
// beforehand, and a file there is not taken for one of the transfer.
func WithOutput(output func(args any) Output) Option {
	return func(r *Registration) { r.Output = output }
}

// WithOutputFolder names the argument that says below which folder a handler writes, so that a
// folder in which nobody can write is found before a transfer starts.
func WithOutputFolder(argument string) Option {
	return WithOutput(func(args any) Output {
		given, _ := args.(map[string]any)
		path, _ := given[argument].(string)
		return Output{Path: path, Folder: true}
	})
}

// WithFolders says that what a finalizer writes depends on the folders of the sources, their
// names and modification times. A run in which only these have changed runs it again.
func WithFolders() Option { return func(r *Registration) { r.KeepsFolders = true } }

// WithInputs names the files that a finalizer reads besides those of the transfer. A run
// in which only the size or modification time of one has changed runs it again.
func WithInputs(inputs func(args any) []string) Option {
	return func(r *Registration) { r.Inputs = inputs }
}

// WithSelfCheck adds a check for `baler doctor`.
func WithSelfCheck(c SelfCheck) Option { return func(r *Registration) { r.SelfCheck = &c } }

// validate reports everything that is wrong with r.
func (r *Registration) validate() error {
	var wrong []error
	if !validName(r.Name) {
		wrong = append(wrong, errors.New("the name must be lower-case letters, digits, dashes and underscores, first a letter or digit"))
	}
	if r.Handler == nil && r.Finalizer == nil {
		wrong = append(wrong, errors.New("there is no handler"))
	}
	if r.Finalizer != nil && (r.Slots != OneSlot || r.Batch != tasks.BatchPolicy{}) {
		wrong = append(wrong, errors.New("a finalizer has neither slots nor batches"))
	}
	if r.Slots != AllSlots && r.Slots < 1 {
		wrong = append(wrong, fmt.Errorf("slots are %d: give a number from 1, or AllSlots", r.Slots))
	}
	if r.Timeouts.File < 0 || r.Timeouts.Batch < 0 {
		wrong = append(wrong, fmt.Errorf("the timeouts are %s and %s: give positive ones, or zero for none", r.Timeouts.File, r.Timeouts.Batch))
	}
	if r.Handler != nil && r.Timeouts.File > 0 && !r.TimesFiles {
		wrong = append(wrong, errors.New(
			"the handler works on whole batches: give WithBatchTimeout instead of WithTimeout, or make it with PerFile"))
	}
	if r.Finalizer != nil && r.Timeouts.Batch != 0 {
		wrong = append(wrong, errors.New("a finalizer has no batches: give WithTimeout instead of WithBatchTimeout"))
	}
	if r.Retry.Attempts < 0 || r.Retry.Backoff < 0 || r.Retry.MaxBackoff < 0 {
		wrong = append(wrong, errors.New("the retry policy has a negative field"))
	}
	return errors.Join(append(wrong, r.Batch.Validate())...)
}

// maxName fits the columns and queue groups that carry a handler's name.
const maxName = 64

func validName(name string) bool {
	for i := range len(name) {
		c := name[i]
		plain := 'a' <= c && c <= 'z' || '0' <= c && c <= '9'
		if !plain && (i == 0 || c != '-' && c != '_') {
			return false
		}
	}
	return name != "" && len(name) <= maxName
}
