package recipe

import (
	"errors"
	"fmt"
	"slices"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/vm"
)

// Limits on one expression: recipes also arrive over the API.
const (
	maxExpression = 2000 // bytes
	maxNodes      = 500
)

// expression is compiled and safe for concurrent use.
type expression struct {
	source  string
	program *vm.Program
	facts   bool     // it reads facts
	reads   []string // names of facts that it reads, each once
}

func compileCondition(source string) (*expression, error) {
	return compile(source, expr.AsBool(), variables{})
}

// compileValue compiles an expression of any type over the given variables.
func compileValue(source string, known any) (*expression, error) {
	return compile(source, expr.AsAny(), known)
}

func compile(source string, result expr.Option, known any) (*expression, error) {
	if len(source) > maxExpression {
		return nil, fmt.Errorf("%d bytes long, the limit is %d", len(source), maxExpression)
	}
	var walker dependencyWalker
	program, err := expr.Compile(expandSizes(source), result,
		expr.Env(known),
		expr.DisableBuiltin("now"), // evaluating a condition again must give the same result
		expr.MaxNodes(maxNodes),
		expr.Patch(&walker),
		expr.Patch(guardNilFacts{}),
	)
	if err == nil {
		err = walker.problem
	}
	if err != nil {
		return nil, oneLine(err)
	}
	return &expression{source: source, program: program, facts: walker.facts, reads: walker.reads}, nil
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
		return false, errors.New(plainTypes(fmt.Sprintf("is %T, not true or false", out)))
	}
	return b, nil
}

// dependencyWalker finds the facts that an expression reads, and constructs that are not
// allowed, before the expression is compiled.
type dependencyWalker struct {
	facts   bool
	reads   []string // facts that are read by name
	problem error
}

// Visit is called for every node, innermost first.
func (r *dependencyWalker) Visit(node *ast.Node) {
	switch n := (*node).(type) {
	case *ast.IdentifierNode:
		switch n.Value {
		case "facts":
			r.facts = true
		case "$env":
			r.problem = errors.New("$env is not available: name the variables")
		}
	case *ast.MemberNode:
		if isFacts(n.Node) {
			r.read(n.Property)
		}
	case *ast.BinaryNode:
		if n.Operator == "in" && isFacts(n.Right) {
			r.read(n.Left)
		}
		// Without ranges, an expression's cost is bounded by its length and the facts.
		if n.Operator == ".." {
			r.problem = errors.New("ranges (a..b) are not available")
		}
	}
}

// read records the name of a fact, if it is a constant.
func (r *dependencyWalker) read(name ast.Node) {
	if s, ok := name.(*ast.StringNode); ok && !slices.Contains(r.reads, s.Value) {
		r.reads = append(r.reads, s.Value)
	}
}

func isFacts(node ast.Node) bool {
	n, ok := node.(*ast.IdentifierNode)
	return ok && n.Value == "facts"
}
