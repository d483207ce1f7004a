//go:build !failpoint

// Package faulty is a handler for tests of crashes. It exists only with the build
// tag failpoint.
package faulty

import "github.com/balerhq/baler/handlers"

// Register adds nothing.
func Register(*handlers.Registry) error { return nil }
