// Package fixity compares files with what they were: by the digests that transfers have
// recorded, and by size and modification time. It reads no file.
package fixity

import "github.com/balerhq/baler/tasks"

// Comparison says how the content of a file compares with what it was.
type Comparison int

// The ways in which contents compare.
const (
	Same    Comparison = iota
	Differs            // a digest of one kind is another one
	Unread             // it had a digest, and has none now: it could not be read
	Unknown            // there is no digest of one kind on both sides
)

// String is same, different or unknown.
func (c Comparison) String() string {
	switch c {
	case Same:
		return "same"
	case Differs:
		return "different"
	default:
		return "unknown"
	}
}

// HasDigest reports whether facts have a digest.
func HasDigest(facts map[string]any) bool {
	for _, name := range tasks.DigestFacts() {
		if facts[name] != nil {
			return true
		}
	}
	return false
}

// Compare compares the facts of a file with those of the same file before.
func Compare(was, is map[string]any) Comparison {
	common := false
	for _, name := range tasks.DigestFacts() {
		before, now := was[name], is[name]
		if before == nil || now == nil {
			continue
		}
		if before != now {
			return Differs
		}
		common = true
	}
	switch {
	case common:
		return Same
	case HasDigest(was) && !HasDigest(is):
		return Unread
	default:
		return Unknown
	}
}
