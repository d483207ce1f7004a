package cli

import (
	"sync"

	"github.com/balerhq/baler/internal/scan"
)

// skippedShown is how many notices are shown one by one.
const skippedShown = 10

// skippedFiles tells of what a scan passed over: the first few, and how many more.
type skippedFiles struct {
	p     *program
	quiet bool

	mu   sync.Mutex
	seen int64
}

func (n *skippedFiles) see(notice scan.Skipped) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.seen++
	if n.quiet || n.seen > skippedShown {
		return
	}
	what := "special file skipped"
	if notice.Reason == scan.SkipSymlink {
		what = "symlink not followed"
	}
	n.p.notef("note: %s: %s (%s)", quoted(notice.Path), what, printable(notice.Detail))
}

func (n *skippedFiles) end() {
	n.mu.Lock()
	defer n.mu.Unlock()
	if more := n.seen - skippedShown; more > 0 && !n.quiet {
		n.p.notef("note: … and %s more", count(more))
	}
}
