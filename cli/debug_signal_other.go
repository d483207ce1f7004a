//go:build !unix

package cli

import (
	"context"

	"github.com/balerhq/baler"
)

// toggleOnSignal does nothing: the system has no such signal.
func toggleOnSignal(context.Context, *baler.Baler) (stop func()) { return func() {} }
