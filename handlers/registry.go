package handlers

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"sync"
)

// ErrRegistered is wrapped when a name is registered twice.
var ErrRegistered = errors.New("a handler of this name is registered already")

// Registry knows handlers by name. The zero value is empty and ready to use;
// it is safe for concurrent use and must not be copied.
type Registry struct {
	mu         sync.RWMutex
	byName     map[string]Registration
	finalizers map[string]Registration
}

// Register adds a handler under a name of lower-case letters, digits, dashes
// and underscores. An error reports everything that is wrong at once; then
// nothing is added.
func (r *Registry) Register(name string, h Handler, opts ...Option) error {
	return r.register(&r.byName, Registration{Name: name, Handler: h}, opts)
}

// RegisterFinalizer adds a handler of final steps. Finalizers have names of their
// own: a handler may have the same name. Options are those of Register without
// slots and batches.
func (r *Registry) RegisterFinalizer(name string, h Finalizer, opts ...Option) error {
	return r.register(&r.finalizers, Registration{Name: name, Finalizer: h}, opts)
}

func (r *Registry) register(in *map[string]Registration, reg Registration, opts []Option) error {
	reg.Slots = OneSlot
	_, reg.TimesFiles = reg.Handler.(*perFile)
	for _, opt := range opts {
		opt(&reg)
	}
	if err := reg.validate(); err != nil {
		return fmt.Errorf("register handler %q: %w", reg.Name, err)
	}
	reg.Retry = reg.Retry.WithDefaults()
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, ok := (*in)[reg.Name]; ok {
		return fmt.Errorf("register handler %q: %w", reg.Name, ErrRegistered)
	}
	if *in == nil {
		*in = make(map[string]Registration)
	}
	(*in)[reg.Name] = reg
	return nil
}

// Clone returns a registry with the same handlers, to which others can be added. A
// nil registry gives an empty one.
func (r *Registry) Clone() *Registry {
	if r == nil {
		return &Registry{}
	}
	r.mu.RLock()
	defer r.mu.RUnlock()
	return &Registry{byName: maps.Clone(r.byName), finalizers: maps.Clone(r.finalizers)}
}

// Lookup finds a handler by its name.
func (r *Registry) Lookup(name string) (Registration, bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	reg, ok := r.byName[name]
	return reg, ok
}

// Close closes the handlers that implement io.Closer, see Handler.
func (r *Registry) Close() error {
	r.mu.RLock()
	defer r.mu.RUnlock()
	var errs []error
	for name, reg := range r.byName {
		if c, ok := reg.Handler.(io.Closer); ok {
			if err := c.Close(); err != nil {
				errs = append(errs, fmt.Errorf("close handler %s: %w", name, err))
			}
		}
	}
	return errors.Join(errs...)
}

// Names lists the registered names in alphabetical order.
func (r *Registry) Names() []string {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return slices.Sorted(maps.Keys(r.byName))
}

// LookupFinalizer finds a handler of final steps by its name.
func (r *Registry) LookupFinalizer(name string) (Registration, bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	reg, ok := r.finalizers[name]
	return reg, ok
}

// FinalizerNames lists the names of handlers of final steps in alphabetical order.
func (r *Registry) FinalizerNames() []string {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return slices.Sorted(maps.Keys(r.finalizers))
}
