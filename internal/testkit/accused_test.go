package testkit

import (
	"strings"
	"testing"
)

// accused is a test that notes what is said against it and runs its cleanups
// when told to.
type accused struct {
	testing.TB

	said     []string
	cleanups []func()
}

func (*accused) Helper() {}

func (a *accused) Cleanup(f func()) { a.cleanups = append(a.cleanups, f) }

func (a *accused) Errorf(format string, _ ...any) { a.said = append(a.said, format) }

func (a *accused) end() string {
	for _, f := range a.cleanups {
		f()
	}
	return strings.Join(a.said, "\n")
}
