package watch

import "time"

// maxSettling bounds the entries that settle at once; more of them wait for their turn.
const maxSettling = 100_000

// settling knows since when entries are as they are. It is not safe for concurrent use.
type settling struct {
	after time.Duration
	seen  map[string]sighting
	round int
}

type sighting struct {
	fingerprint string
	since       time.Time
	round       int
}

func newSettling(after time.Duration) *settling {
	return &settling{after: after, seen: make(map[string]sighting)}
}

// begin begins a look at all entries.
func (s *settling) begin() { s.round++ }

// see reports whether an entry has been the same for long enough.
func (s *settling) see(e *entry, now time.Time) bool {
	was, known := s.seen[e.path]
	if !known && len(s.seen) >= maxSettling {
		return false
	}
	if !known || was.fingerprint != e.fingerprint {
		was = sighting{fingerprint: e.fingerprint, since: now}
	}
	was.round = s.round
	s.seen[e.path] = was
	return e.marked && now.Sub(was.since) >= s.after
}

// forget drops an entry that is submitted.
func (s *settling) forget(path string) { delete(s.seen, path) }

// end ends a look: what it has not found is gone.
func (s *settling) end() {
	for path, was := range s.seen {
		if was.round != s.round {
			delete(s.seen, path)
		}
	}
}

// waiting is the number of entries that are not submitted yet.
func (s *settling) waiting() int { return len(s.seen) }
