package main

import (
	"github.com/balerhq/baler/internal/scan"
	"sync"
)

// noticesShown is how many notices are shown one by one.
const noticesShown = 10

// notices tells of what a scan passed over: the first few, and how many more.
type notices struct {
	p     *program
	quiet bool

	mu   sync.Mutex
	seen int64
}

func (n *notices) see(notice scan.Skipped) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.seen++
	if n.quiet || n.seen > noticesShown {
		return
	}
	what := "special file left out"
	if notice.Reason == scan.SkipSymlink {
		what = "symlink not followed"
	}
	n.p.sayf("note: %s: %s (%s)", quoted(notice.Path), what, printable(notice.Detail))
}

func (n *notices) end() {
	n.mu.Lock()
	defer n.mu.Unlock()
	if more := n.seen - noticesShown; more > 0 && !n.quiet {
		n.p.sayf("note: … and %s more", count(more))
	}
}
