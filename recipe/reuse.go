package recipe

import (
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"
)

// ReuseBy says how a step tells that a file has not changed.
type ReuseBy string

// The values of ReuseBy.
const (
	ReuseNothing   ReuseBy = ""          // every file runs
	ReuseUnchanged ReuseBy = "unchanged" // path, size and modification time are the same
	ReuseDigest    ReuseBy = "digest"    // an earlier step has recorded the same digest, wherever the file lies
)

// Reuse says when a step takes over a result instead of running its handler. The zero value
// takes over nothing.
type Reuse struct {
	By      ReuseBy
	MaxAge  time.Duration // since the handler ran; zero is any age
	Version string        // of what the handler's own version does not cover, such as a program; may be empty
}

// SecureDigests are the facts that stand for the content of a file. Other content with the
// same sha1 or md5 can be made on purpose.
func SecureDigests() []string { return []string{"sha256", "sha512"} }

const (
	maxReuseAge     = 10 * 365 * 24 * time.Hour
	maxReuseVersion = 64 // bytes
)

// reuse reads "reuse: digest" or "reuse: {by: digest, max_age: 720h, version: "2"}".
func (c *diagnostics) reuse(f field) (r Reuse) {
	if _, ok := entriesOf(f.value); !ok {
		r.By = c.reuseBy(f)
		return r
	}
	fs, ok := c.mapping("reuse", f.value, f.line, "by", "max_age", "version")
	if !ok {
		return r
	}
	if f, ok := fs.get("by"); ok {
		r.By = c.reuseBy(f)
	} else {
		c.addf(f.line, "reuse does not say by what; write by: unchanged or by: digest")
	}
	if f, ok := fs.get("max_age"); ok {
		r.MaxAge = c.durationUpTo(f, maxReuseAge)
	}
	if f, ok := fs.get("version"); ok {
		if r.Version, ok = c.text(f); ok && (r.Version == "" || len(r.Version) > maxReuseVersion) {
			c.addf(f.line, "version has %d bytes; write a text of 1 to %d", len(r.Version), maxReuseVersion)
		}
	}
	return r
}

func (c *diagnostics) reuseBy(f field) ReuseBy {
	if _, isText := f.value.(*ast.StringNode); isText {
		if s, _ := c.text(f); s == string(ReuseUnchanged) || s == string(ReuseDigest) {
			return ReuseBy(s)
		}
	}
	c.addf(f.line, "%s must be unchanged (same path, size and time) or digest (same content)", f.name)
	return ReuseNothing
}

// reuses reports steps that cannot take over results. before are the facts of the steps
// before this one.
func (c *diagnostics) reuses(s *Step, h HandlerInfo, known bool, before []stepFacts) {
	if s.Reuse.By == ReuseNothing {
		return
	}
	if known && h.NotReusable != "" {
		c.addf(s.reuseLine, "step %s: reuse: the results of handler %q cannot be taken over: %s; leave out reuse",
			s.Name, s.Handler, h.NotReusable)
	}
	if s.Reuse.By == ReuseDigest && !slices.ContainsFunc(before, stepFacts.mayHaveSecureDigest) {
		c.addf(s.reuseLine, "step %s: reuse: digest needs %s of the file, which no step before it records; "+
			"put a step with the handler checksum before it, or write reuse: unchanged",
			s.Name, strings.Join(SecureDigests(), " or "))
	}
}

// fixityReuse reports steps that would compare what an earlier transfer has read instead of
// the files: damage changes neither path, size nor time.
func (c *diagnostics) fixityReuse(steps []*Step) {
	for _, s := range steps {
		if s.Reuse.By == ReuseUnchanged {
			c.addf(s.reuseLine, "step %s: reuse: fixity reads every file again; write reuse: digest, or leave out reuse or fixity", s.Name)
		}
	}
}

// mayHaveSecureDigest reports whether one of SecureDigests may be among the facts.
func (f stepFacts) mayHaveSecureDigest() bool {
	return f.unknown || slices.ContainsFunc(SecureDigests(), func(digest string) bool { return slices.Contains(f.names, digest) })
}

// usesReuse reports whether any step takes over results.
func usesReuse(steps []*Step) bool {
	return slices.ContainsFunc(steps, func(s *Step) bool { return s.Reuse.By != ReuseNothing })
}
