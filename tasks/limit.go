package tasks

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Scope is what a limit applies to.
type Scope string

// The scopes.
const (
	ScopeAll      Scope = "all"
	ScopeQueue    Scope = "queue"    // the queue of that name
	ScopeTransfer Scope = "transfer" // the transfer of that UUID
	ScopeHandler  Scope = "handler"  // all batches of that handler
	ScopeName     Scope = "name"     // all batches of the steps and handlers that use that name
)

// Limit limits all workers together. A zero number is no limit.
type Limit struct {
	Scope          Scope
	Name           string // empty for ScopeAll
	InFlight       int    // batches that run at once
	FilesPerSecond float64
	PerHost        int    // batches that run at once on one host
	Weight         int    // of a queue: its priority in place of that in the workers' configuration; 0: that one
	Trouble        string // why its row in the database cannot be read; as little as possible runs then
	Note           string // why it may be a mistake: that it applies to nothing that is known
}

// Unlimited reports whether the limit has no bounds. A queue may still have a weight.
func (c *Limit) Unlimited() bool { return c.InFlight == 0 && c.FilesPerSecond == 0 && c.PerHost == 0 }

// Bounds is the text of the bounds that ParseLimitBounds reads; empty without any.
func (c *Limit) Bounds() string {
	var parts []string
	if c.InFlight > 0 {
		parts = append(parts, strconv.Itoa(c.InFlight))
	}
	if c.FilesPerSecond > 0 {
		parts = append(parts, strconv.FormatFloat(c.FilesPerSecond, 'f', -1, 64)+"/s")
	}
	if c.PerHost > 0 {
		parts = append(parts, strconv.Itoa(c.PerHost)+"/host")
	}
	return strings.Join(parts, ",")
}

// Key identifies a limit.
func (c *Limit) Key() string { return LimitKey(c.Scope, c.Name) }

// LimitKey returns the Key of a limit.
func LimitKey(s Scope, name string) string { return string(s) + " " + name }

// HostLimitKey returns the key under which a worker counts its batches for Limit.PerHost.
func HostLimitKey(key string) string { return key + " on this host" }

// LimitChange changes a limit. nil keeps the present bound, 0 removes it.
type LimitChange struct {
	InFlight       *int
	FilesPerSecond *float64
	PerHost        *int
	Weight         *int // of a queue
}

// Empty reports whether the change changes nothing.
func (c *LimitChange) Empty() bool {
	return c.InFlight == nil && c.FilesPerSecond == nil && c.PerHost == nil && c.Weight == nil
}

// Apply changes a limit.
func (c *LimitChange) Apply(l *Limit) {
	if c.InFlight != nil {
		l.InFlight = *c.InFlight
	}
	if c.FilesPerSecond != nil {
		l.FilesPerSecond = *c.FilesPerSecond
	}
	if c.PerHost != nil {
		l.PerHost = *c.PerHost
	}
	if c.Weight != nil {
		l.Weight = *c.Weight
	}
}

// MaxLimitName is how many characters the name of a limit has at most.
const MaxLimitName = 64

var limitName = regexp.MustCompile(`^[a-z0-9]([a-z0-9._-]*[a-z0-9])?$`)

// CheckLimitName reports why a limit of ScopeName or ScopeHandler cannot have this name.
func CheckLimitName(name string) error {
	if len(name) > MaxLimitName || !limitName.MatchString(name) {
		return fmt.Errorf("%.80q is not the name of a limit: use up to %d small letters, digits, and . _ - between them", name, MaxLimitName)
	}
	return nil
}

var errLimitBounds = errors.New("give batches at once such as 2, files a second such as 50/s, " +
	"batches on one host such as 1/host, or several of them with commas")

// ParseLimitBounds reads the bounds of a limit as the configuration has them: "2", "50/s",
// "1/host", or several with commas.
func ParseLimitBounds(text string) (l Limit, err error) {
	for part := range strings.SplitSeq(text, ",") {
		number, unit, _ := strings.Cut(strings.TrimSpace(part), "/")
		n, err := strconv.ParseFloat(number, 64)
		if err != nil || !(n > 0 && n <= math.MaxInt32) {
			return Limit{}, fmt.Errorf("%.80q is not a limit: %w", text, errLimitBounds)
		}
		whole := n == math.Trunc(n)
		switch {
		case unit == "s" && l.FilesPerSecond == 0:
			l.FilesPerSecond = n
		case unit == "" && !strings.Contains(part, "/") && whole && l.InFlight == 0:
			l.InFlight = int(n)
		case unit == "host" && whole && l.PerHost == 0:
			l.PerHost = int(n)
		default:
			return Limit{}, fmt.Errorf("%.80q is not a limit: %w", text, errLimitBounds)
		}
	}
	return l, nil
}

// UnsetLimits returns those names that no limit of ScopeName has.
func UnsetLimits(names []string, set []Limit) []string {
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool {
		return slices.ContainsFunc(set, func(l Limit) bool { return l.Scope == ScopeName && l.Name == name && !l.Unlimited() })
	})
}
