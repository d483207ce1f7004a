package web

import (
	"fmt"
	"net/http"

	"github.com/balerhq/baler/internal/api"
)

// readForm reads the body of a form into r.PostForm.
func readForm(r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return &api.RequestError{Err: fmt.Errorf("the form cannot be read: %w", err)}
	}
	return nil
}
