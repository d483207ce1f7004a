package invoke

import (
	"fmt"
	"runtime"
	"strings"
)

// maxFrames is how deep the stack of a recorded panic goes.
const maxFrames = 12

// PanicError is the panic of a handler as an error.
type PanicError struct {
	Value any    // the argument of panic
	Stack string // the innermost calls, one "function (file:line)" per line
}

func (e *PanicError) Error() string { return fmt.Sprintf("panic: %v", e.Value) }

// Unwrap returns the argument of panic if it is an error.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}

// NewPanicError must be called by the deferred function that recovered value.
func NewPanicError(value any) *PanicError {
	pcs := make([]uintptr, 64)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(3, pcs)])
	var stack strings.Builder
	for n := 0; n < maxFrames; {
		frame, more := frames.Next()
		if frame.Function != "" && !strings.HasPrefix(frame.Function, "runtime.") {
			fmt.Fprintf(&stack, "%s (%s:%d)\n", frame.Function, frame.File, frame.Line)
			n++
		}
		if !more {
			break
		}
	}
	return &PanicError{Value: value, Stack: stack.String()}
}
