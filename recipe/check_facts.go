package recipe

import (
	"fmt"
	"slices"
	"strings"

	"github.com/balerhq/baler/internal/suggest"
	"github.com/balerhq/baler/tasks"
)

// stepFacts are the facts that a step may record.
type stepFacts struct {
	names   []string
	unknown bool // it may record any
}

func newStepFacts(s *Step, h HandlerInfo) (f stepFacts) {
	s.variants(func(with *arguments, args any, _ error, _ *Rule) {
		if h.Facts == nil || with.rendered {
			f.unknown = true
			return
		}
		f.names = append(f.names, h.Facts(args)...)
	})
	return f
}

// mayHaveDigest reports whether the facts may include a digest.
func (f stepFacts) mayHaveDigest() bool {
	return f.unknown || slices.ContainsFunc(tasks.DigestFacts(), func(digest string) bool { return slices.Contains(f.names, digest) })
}

// facts reports what steps read that no step before them records. records has an
// element for each step.
func (c *diagnostics) facts(steps []*Step, records []stepFacts) {
	var before []string
	for i, s := range steps {
		for _, read := range s.reads() {
			if !slices.Contains(before, read.fact) {
				c.addAtf(read.file, read.line, "step %s: %s %q reads the fact %q, which no step before it records; %s",
					s.Name, read.part, read.source, read.fact, factHint(read.fact, before, steps[i:], records[i:]))
			}
		}
		if records[i].unknown {
			return // a step after it may read any fact
		}
		before = append(before, records[i].names...)
	}
}

// factHint suggests another name for a fact that is not recorded, or what to do.
func factHint(fact string, before []string, later []*Step, records []stepFacts) string {
	near := suggest.Of(strings.ToLower(fact), func(name string) bool { return slices.Contains(before, name) })
	if near != "" {
		return fmt.Sprintf("did you mean %q?", near)
	}
	for i, s := range later {
		if slices.Contains(records[i].names, fact) {
			if i == 0 {
				return "the step itself records it"
			}
			return fmt.Sprintf("move step %s, which records it, before this one", s.Name)
		}
	}
	if len(before) == 0 {
		return "they record none"
	}
	return "they record " + strings.Join(before, ", ")
}
