package architecture

import (
	"fmt"
	"strings"
)

// Mermaid writes the graph as a Mermaid flowchart: a box for each package, an arrow for
// each import. Packages that other modules may import have a thicker border.
func (g Graph) Mermaid() string {
	var b strings.Builder
	b.WriteString("flowchart TD\n")
	number := make(map[string]int, len(g))
	for i, name := range g.Names() {
		number[name] = i
		class := ""
		if !strings.Contains(name, "internal/") && !strings.HasPrefix(name, "cmd/") {
			class = ":::public"
		}
		fmt.Fprintf(&b, "  p%d[%s]%s\n", i, strings.TrimPrefix(name, "internal/"), class)
	}
	for _, from := range g.Names() {
		for _, to := range g[from] {
			fmt.Fprintf(&b, "  p%d --> p%d\n", number[from], number[to])
		}
	}
	b.WriteString("  classDef public stroke-width:3px\n")
	return b.String()
}
