package recipe

import "github.com/expr-lang/expr/ast"

// guardNilFacts rewrites conditions on facts so that a missing fact gives false
// instead of an error: "facts.width > 100" becomes
// "facts.width != nil && facts.width > 100", and "not facts.ok" becomes
// "not (facts.ok ?? false)".
type guardNilFacts struct{}

// Visit is called for every node, innermost first.
func (guardNilFacts) Visit(node *ast.Node) {
	switch n := (*node).(type) {
	case *ast.UnaryNode:
		if n.Operator == "not" || n.Operator == "!" {
			n.Node = orFalse(n.Node)
		}
	case *ast.ConditionalNode:
		n.Cond = orFalse(n.Cond)
	case *ast.BinaryNode:
		switch n.Operator {
		case "and", "&&", "or", "||":
			n.Left, n.Right = orFalse(n.Left), orFalse(n.Right)
		case "<", "<=", ">", ">=", "contains", "startsWith", "endsWith", "matches":
			if guarded := guard(n); guarded != *node {
				ast.Patch(node, guarded)
			}
		}
	}
}

// guard puts "operand != nil &&" before a comparison for each operand that is a fact.
func guard(comparison *ast.BinaryNode) ast.Node {
	var guarded ast.Node = comparison
	for _, operand := range []ast.Node{comparison.Right, comparison.Left} {
		if isFact(operand) {
			notNil := &ast.BinaryNode{Operator: "!=", Left: operand, Right: &ast.NilNode{}}
			guarded = &ast.BinaryNode{Operator: "&&", Left: notNil, Right: guarded}
		}
	}
	return guarded
}

func orFalse(node ast.Node) ast.Node {
	if !isFact(node) {
		return node
	}
	return &ast.BinaryNode{Operator: "??", Left: node, Right: &ast.BoolNode{}}
}

// isFact recognises facts.x, facts["x"] and facts.x?.y. Only those are guarded:
// they are cheap to read twice, whereas copying whole expressions would let
// nested ones grow without bound.
func isFact(node ast.Node) bool {
	switch n := node.(type) {
	case *ast.ChainNode:
		return isFact(n.Node)
	case *ast.MemberNode:
		if _, constant := n.Property.(*ast.StringNode); !constant || n.Method {
			return false
		}
		return isFacts(n.Node) || isFact(n.Node)
	}
	return false
}
