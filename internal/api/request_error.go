package api

import (
	"context"
	"errors"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
)

// RequestError is an error that the client can correct.
type RequestError struct {
	Field string // of the request, such as "recipe"; empty when it concerns several
	Err   error

	Conflict bool // the request contradicts an earlier one, or the state of what it names
	Denied   bool // the server's settings do not allow it
	Missing  bool // what the path names does not exist
}

func (e *RequestError) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *RequestError) Unwrap() error { return e.Err }

// answer is the problem of an error: the cause, when the client can correct it.
func (a *api) answer(ctx context.Context, doing string, err error) error {
	wrong, ok := errors.AsType[*RequestError](err)
	if !ok {
		return a.internalError(ctx, doing, err)
	}
	status := http.StatusUnprocessableEntity
	switch {
	case wrong.Conflict:
		status = http.StatusConflict
	case wrong.Denied:
		status = http.StatusForbidden
	case wrong.Missing:
		status = http.StatusNotFound
	}
	if wrong.Field == "" {
		return problem(status, wrong.Error())
	}
	return problem(status, wrong.Error(), &huma.ErrorDetail{Message: wrong.Error(), Location: "body." + wrong.Field})
}
