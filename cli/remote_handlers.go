package cli

import (
	"errors"
	"fmt"

	"github.com/balerhq/baler/recipe"
)

// allowRemoteHandlers accepts a recipe whose only errors are handlers that neither this
// program nor a running worker has, because workers that have them may start later. It
// prints a note. A name that is similar to a known one remains an error.
func (p *program) allowRemoteHandlers(err error) error {
	wrong, ok := errors.AsType[recipe.Errors](err)
	if !ok {
		return err
	}
	for _, e := range wrong {
		if e.UnknownHandler == "" {
			return err
		}
	}
	for _, e := range wrong {
		p.notef("note: %s: no running worker has the handler %q; its files wait until one starts.",
			printable(fmt.Sprintf("%s:%d", e.File, e.Line)), e.UnknownHandler)
	}
	return nil
}
