package recipe

import (
	"errors"
	"fmt"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/vm"
)

// Bounds on one expression: recipes come from people, and also over the API.
const (
	maxExpression = 2000 // bytes
	maxNodes      = 500
)

// expression is compiled and safe for concurrent use.
type expression struct {
	source  string
	program *vm.Program
	facts   bool // it reads facts
}

func compileCondition(source string) (*expression, error) {
	return compile(source, expr.AsBool(), variables{})
}

// compileValue compiles what may give anything, over the given variables.
func compileValue(source string, known any) (*expression, error) {
	return compile(source, expr.AsAny(), known)
}

func compile(source string, result expr.Option, known any) (*expression, error) {
	if len(source) > maxExpression {
		return nil, fmt.Errorf("%d bytes long, the limit is %d", len(source), maxExpression)
	}
	var review review
	program, err := expr.Compile(source, result,
		expr.Env(known),
		expr.DisableBuiltin("now"), // routes must come out the same when worked out again
		expr.MaxNodes(maxNodes),
		expr.Patch(&review),
		expr.Patch(guardMissing{}),
	)
	if err == nil {
		err = review.problem
	}
	if err != nil {
		return nil, oneLine(err)
	}
	return &expression{source: source, program: program, facts: review.facts}, nil
}

func (e *expression) eval(v any) (any, error) {
	out, err := vm.Run(e.program, v)
	if err != nil {
		return nil, oneLine(err)
	}
	return out, nil
}

// holds evaluates a condition.
func (e *expression) holds(v *variables) (bool, error) {
	out, err := e.eval(v)
	if err != nil {
		return false, err
	}
	b, ok := out.(bool)
	if !ok {
		return false, fmt.Errorf("is a %T, not true or false", out)
	}
	return b, nil
}

// review looks over an expression's tree before it is compiled.
type review struct {
	facts   bool
	problem error
}

// Visit is called for every node, innermost first.
func (r *review) Visit(node *ast.Node) {
	switch n := (*node).(type) {
	case *ast.IdentifierNode:
		switch n.Value {
		case "facts":
			r.facts = true
		case "$env":
			r.problem = errors.New("$env is not available: name the variables")
		}
	case *ast.BinaryNode:
		// A range makes work out of nothing; without it an expression's cost
		// is bounded by its own length and the facts.
		if n.Operator == ".." {
			r.problem = errors.New("ranges (a..b) are not available")
		}
	}
}
