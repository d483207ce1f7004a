package handlers

import (
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
	Handler     Handler           // nil for a finalizer
	Finalizer   Finalizer         // nil for a handler of steps
	Description string            // one line for people
	Slots       SlotUse           // how much of the host a batch takes
	Timeout     time.Duration     // of one batch, or one attempt of a final step; none when zero
	Batch       tasks.BatchPolicy // fields that are zero come from the global default
	Retry       tasks.RetryPolicy

	// CheckArgs says beforehand whether a step's `with` suits the handler; nil
	// accepts everything.
	CheckArgs func(args any) error

	// Output says where a finalizer with these arguments writes; nil when that is not known
	// beforehand.
	Output func(args any) Output

	// SelfCheck is for `baler doctor`; nil when there is nothing to check.
	SelfCheck *SelfCheck
}

// SelfCheck checks what a handler needs on its host, such as a program or a
// database of signatures.
type SelfCheck struct {
	Name string // what is checked, as doctor shows it
	Hint string // what to do when it fails
	Run  func() (found string, err error)
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

// WithTimeout limits how long a batch may take; without it there is no limit.
func WithTimeout(d time.Duration) Option { return func(r *Registration) { r.Timeout = d } }

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

// WithOutput says where a finalizer writes, so that a folder inside the sources is refused
// beforehand, and a file there is not taken for one of the transfer.
func WithOutput(output func(args any) Output) Option {
	return func(r *Registration) { r.Output = output }
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
	if r.Timeout < 0 {
		wrong = append(wrong, fmt.Errorf("the timeout is %s: give a positive one, or zero for none", r.Timeout))
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
