package handlers

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
)

// ErrRegistered is wrapped when a name is registered twice.
var ErrRegistered = errors.New("a handler of this name is registered already")

// Registry knows handlers by name. The zero value is empty and ready to use;
// it is safe for concurrent use and must not be copied.
type Registry struct {
	mu     sync.RWMutex
	byName map[string]Registration
}

// Register adds a handler under a name of lower-case letters, digits, dashes
// and underscores. Nothing is added when it gives an error, which tells all
// that is wrong at once.
func (r *Registry) Register(name string, h Handler, opts ...Option) error {
	reg := Registration{Name: name, Handler: h, Slots: One}
	for _, opt := range opts {
		opt(&reg)
	}
	if err := reg.validate(); err != nil {
		return fmt.Errorf("register handler %q: %w", name, err)
	}
	reg.Retry = reg.Retry.withDefaults()
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, ok := r.byName[name]; ok {
		return fmt.Errorf("register handler %q: %w", name, ErrRegistered)
	}
	if r.byName == nil {
		r.byName = make(map[string]Registration)
	}
	r.byName[name] = reg
	return nil
}

// Lookup finds a handler by its name.
func (r *Registry) Lookup(name string) (Registration, bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	reg, ok := r.byName[name]
	return reg, ok
}

// Names lists the registered names in alphabetical order.
func (r *Registry) Names() []string {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return slices.Sorted(maps.Keys(r.byName))
}
