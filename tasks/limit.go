package tasks

// Scope is what a limit applies to.
type Scope string

// The scopes.
const (
	ScopeAll      Scope = "all"
	ScopeQueue    Scope = "queue"    // the queue of that name
	ScopeTransfer Scope = "transfer" // the transfer of that UUID
)

// Limit limits all workers together. A zero number is no limit.
type Limit struct {
	Scope          Scope
	Name           string // empty for ScopeAll
	InFlight       int    // batches that run at once
	FilesPerSecond float64
	Trouble        string // why its row in the database cannot be read; as little as possible runs then
}

// Key identifies a limit.
func (c *Limit) Key() string { return LimitKey(c.Scope, c.Name) }

// LimitKey returns the Key of a limit.
func LimitKey(s Scope, name string) string { return string(s) + " " + name }
