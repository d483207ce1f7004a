package recipe

import (
	"slices"
	"strings"
)

// EmitFrom says at which step files start that a step's handler emits: 0, the default, is
// the first step of the recipe, so that an archive in an archive is extracted, too.
// emitNext is the step after the emitting one. Any other value is the number of a step.
type EmitFrom int

const emitNext EmitFrom = -1

// After returns the number of the step before the one at which files start that step no
// emits. It is an argument for Next.
func (e EmitFrom) After(no int) int {
	if e == emitNext {
		return no
	}
	return max(int(e)-1, 0)
}

// SkipsForEmitted reports whether emitted files may start after the first step.
func (r *Recipe) SkipsForEmitted() bool {
	return slices.ContainsFunc(r.Steps, func(s *Step) bool { return s.EmitFrom.After(s.Number) > 0 })
}

// emitFrom resolves emit_from of all steps: a step may name a later one.
func (c *diagnostics) emitFrom(steps []*Step) {
	for _, s := range steps {
		switch s.emitFrom {
		case "", "first":
			continue
		case "next":
			s.EmitFrom = emitNext
			continue
		}
		at := slices.IndexFunc(steps, func(other *Step) bool { return other.Name == s.emitFrom })
		if at < 0 {
			names := make([]string, len(steps))
			for i := range steps {
				names[i] = steps[i].Name
			}
			c.addf(s.emitFromLine, "emit_from %q must be first, next or the name of a step: %s", s.emitFrom, strings.Join(names, ", "))
			continue
		}
		if at > 0 {
			s.EmitFrom = EmitFrom(at + 1)
		}
	}
}
