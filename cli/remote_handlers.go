package cli

import (
	"errors"
	"fmt"
	"slices"

	"github.com/balerhq/baler/recipe"
)

// allowRemoteHandlers accepts a recipe whose only errors are handlers that neither this
// program nor a running worker has, because workers that have them may start later. It
// prints a note. A name that is similar to a known one remains an error.
func (p *program) allowRemoteHandlers(err error) error {
	if !onlyUnknownHandlers(err) {
		return err
	}
	wrong, _ := errors.AsType[recipe.Errors](err)
	for _, e := range wrong {
		p.notef("note: %s: no running worker has the handler %q; its files wait until one starts.",
			printable(fmt.Sprintf("%s:%d", e.File, e.Line)), e.UnknownHandler)
	}
	return nil
}

// onlyUnknownHandlers reports whether the errors of a recipe are handlers that are not known,
// and no others.
func onlyUnknownHandlers(err error) bool {
	wrong, ok := errors.AsType[recipe.Errors](err)
	return ok && !slices.ContainsFunc(wrong, func(e *recipe.Error) bool { return e.UnknownHandler == "" })
}
