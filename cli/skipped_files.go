package cli

import (
	"sync"

	"github.com/balerhq/baler/internal/scan"
)

// skippedShown is how many skipped files are named.
const skippedShown = 10

// skippedFiles prints notes about the files that a scan skipped: the first ones, and the
// number of the others.
type skippedFiles struct {
	p     *program
	quiet bool

	mu   sync.Mutex
	seen int64
}

func (n *skippedFiles) see(notice scan.SkippedEntry) {
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

// more counts skipped files that are not known by name.
func (n *skippedFiles) more(files int64) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if files > 0 {
		n.seen += files
	}
}

func (n *skippedFiles) end() {
	n.mu.Lock()
	defer n.mu.Unlock()
	if more := n.seen - skippedShown; more > 0 && !n.quiet {
		n.p.notef("note: … and %s more", count(more))
	}
}
