package testkit

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
)

// errorRecorder is a test that records its errors, and runs its cleanups in end.
type errorRecorder struct {
	testing.TB

	errors   []string
	cleanups []func()
}

func (*errorRecorder) Helper() {}

func (r *errorRecorder) Cleanup(f func()) { r.cleanups = append(r.cleanups, f) }

func (r *errorRecorder) Errorf(format string, _ ...any) { r.errors = append(r.errors, format) }

func (r *errorRecorder) end() string {
	for _, f := range r.cleanups {
		f()
	}
	return strings.Join(r.errors, "\n")
}

// fatalRecorder is a test that records its fatal error.
type fatalRecorder struct {
	testing.TB

	failure string
}

func (*fatalRecorder) Helper() {}

func (r *fatalRecorder) Fatalf(format string, args ...any) {
	r.failure = fmt.Sprintf(format, args...)
	runtime.Goexit()
}

func (r *fatalRecorder) Fatal(args ...any) { r.Fatalf("%s", fmt.Sprint(args...)) }

// watch runs f, which may end its test, and returns the fatal error.
func watch(t *testing.T, f func(t testing.TB)) (failure string) {
	t.Helper()
	r := &fatalRecorder{TB: t}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		f(r)
	}()
	<-ended
	return r.failure
}
