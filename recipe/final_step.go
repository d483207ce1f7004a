package recipe

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"github.com/goccy/go-yaml/ast"

	"github.com/balerhq/baler/tasks"
)

// FinalStep is a final step: one handler that runs once for the whole transfer,
// after its last file. A zero Timeout, or a zero field of Retry, means that the
// recipe does not set it.
type FinalStep struct {
	Number  int // from 1
	Name    string
	Handler string
	Timeout time.Duration
	Retry   tasks.RetryPolicy

	with arguments
	line int // of the handler's name
}

// transferVariables are the variables that templates of final steps can read.
type transferVariables struct {
	Transfer string    `expr:"transfer"` // the UUID
	Name     string    `expr:"name"`
	Created  time.Time `expr:"created"`
	Files    int       `expr:"files"`
	Bytes    int       `expr:"bytes"`
}

// Args renders the step's "with" for a transfer. The value is like that of
// Step.Args. An error is an *EvalError.
func (s *FinalStep) Args(t *tasks.Transfer) (any, error) {
	return render(s.with.value, transferVariables{
		Transfer: t.UUID, Name: t.Name, Created: t.CreatedAt.UTC(), Files: int(t.Files), Bytes: int(t.Bytes),
	}, s.Number, s.Name)
}

// Digest identifies what the step does, by its handler and its arguments before
// rendering, in hexadecimal. Its name, place, timeout and retries do not change it.
func (s *FinalStep) Digest() string {
	b, err := json.Marshal([]any{s.Handler, s.with.value}) // object keys come out sorted
	if err != nil {                                        // the parser accepts only JSON values
		panic(fmt.Sprintf("encode arguments of final step %s: %v", s.Name, err))
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// ArgsTemplated reports whether Args depends on the transfer.
func (s *FinalStep) ArgsTemplated() bool { return s.with.rendered }

func (c *diagnostics) finalSteps(f field) []*FinalStep {
	return listed(c, f, "final step", c.finalStep, func(s *FinalStep) string { return s.Name })
}

// finalizer reads one entry of the list of final steps.
func (c *diagnostics) finalStep(no int, node ast.Node) *FinalStep {
	s := &FinalStep{Number: no, line: lineOf(node)}
	fs, ok := c.mapping("final step", node, s.line, "name", "handler", "with", "timeout", "retry")
	if !ok {
		return s
	}
	e := c.commonFields(fs, transferVariables{}, fmt.Sprintf("final step %d has no handler; name one, as in \"handler: manifest\"", no))
	s.Name, s.Handler, s.Timeout, s.Retry, s.with, s.line = e.name, e.handler, e.timeout, e.retry, e.with, e.line
	return s
}
