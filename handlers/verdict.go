package handlers

import (
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/balerhq/baler/internal/invoke"
	"github.com/balerhq/baler/tasks"
)

// maxCode is how many bytes of a code are kept.
const maxCode = 64

// Verdict is an error that says how a file ends. A function given to PerFile
// returns one, wrapped or not, to end its file otherwise than a plain error
// would, which is tasks.Error with CodeError.
type Verdict struct { //nolint:errname // not always an error: a warning or a skip is a verdict too
	Outcome tasks.Outcome
	Code    string // short and machine-readable, at most 64 bytes
	Err     error  // what happened; its text goes into the job's error stream
}

func (v *Verdict) Error() string {
	if v.Err == nil {
		return v.Code
	}
	return v.Err.Error()
}

// Unwrap gives the error beneath.
func (v *Verdict) Unwrap() error { return v.Err }

// Fail says that the file's content is at fault: final, not retried.
func Fail(code string, err error) error {
	return &Verdict{Outcome: tasks.OutcomeFailed, Code: code, Err: err}
}

// RetryLater says that the system is at fault: the file is retried while attempts are
// left. A plain error means the same, without a code of its own. CodeIO, which says
// little, gives way to the code of a verdict that err has already.
func RetryLater(code string, err error) error {
	if v, ok := errors.AsType[*Verdict](err); ok && code == CodeIO {
		code = v.Code
	}
	return &Verdict{Outcome: tasks.OutcomeError, Code: code, Err: err}
}

// Warn says that the work is done, with something that a person should know.
func Warn(code, message string) error {
	return &Verdict{Outcome: tasks.OutcomeWarning, Code: code, Err: errors.New(message)}
}

// Skip says that there was nothing to do for this file, and why.
func Skip(code, reason string) error {
	return &Verdict{Outcome: tasks.OutcomeSkipped, Code: code, Err: errors.New(reason)}
}

// verdict is how a job ends, as it stands.
type verdict struct {
	outcome  tasks.Outcome // empty without a verdict
	exitCode int
	code     string
}

// verdictOf reads an error as a verdict and the message that goes with it.
func verdictOf(err error) (verdict, string) {
	if crash, ok := errors.AsType[*invoke.PanicError](err); ok {
		return newVerdict(1, tasks.OutcomeError, CodePanic), fmt.Sprintf("%v\n%s", err, crash.Stack)
	}
	v, ok := errors.AsType[*Verdict](err)
	if !ok {
		return newVerdict(1, tasks.OutcomeError, CodeError), err.Error()
	}
	exitCode := 0
	if v.Outcome.StopsRecipe() {
		exitCode = 1
	}
	return newVerdict(exitCode, v.Outcome, v.Code), err.Error()
}

// newVerdict keeps a verdict recordable: an outcome outside the enumeration
// becomes an error, a long code is cut and a broken one mended.
func newVerdict(exitCode int, outcome tasks.Outcome, code string) verdict {
	if !outcome.Valid() {
		return verdict{outcome: tasks.OutcomeError, exitCode: exitCode, code: CodeInvalidOutcome}
	}
	return verdict{outcome: outcome, exitCode: exitCode, code: tidyCode(code)}
}

func tidyCode(code string) string {
	if len(code) <= maxCode && clean(code) {
		return code
	}
	tidy := string(appendClean(nil, []byte(code)))
	if len(tidy) <= maxCode {
		return tidy
	}
	cut := maxCode
	for !utf8.RuneStart(tidy[cut]) {
		cut--
	}
	return tidy[:cut]
}
