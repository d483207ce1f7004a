package handlers

import "github.com/balerhq/baler/internal/invoke"

// PanicError is a handler's panic, caught. It ends a job with CodePanic.
type PanicError = invoke.PanicError
