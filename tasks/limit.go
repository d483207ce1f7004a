package tasks

// Scope is what a ceiling is over.
type Scope string

// The scopes.
const (
	ScopeAll      Scope = "all"
	ScopeQueue    Scope = "queue"    // of a name
	ScopeTransfer Scope = "transfer" // of an id as shown outside
)

// Limit is what all workers together may do at most. A zero number is no bound.
type Limit struct {
	Scope          Scope
	Name           string // empty over all
	InFlight       int    // batches that run at once
	FilesPerSecond float64
}

// Key tells ceilings apart.
func (c *Limit) Key() string { return LimitKey(c.Scope, c.Name) }

// LimitKey is the Key of a ceiling.
func LimitKey(s Scope, name string) string { return string(s) + " " + name }
