package web

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/balerhq/baler/internal/api"
)

// missing is the error for something that does not exist, in a sentence for people.
func missing(sentence string) error {
	return &api.RequestError{Missing: true, Err: errors.New(sentence)}
}

// readForm reads the body of a form into r.PostForm.
func readForm(r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return &api.RequestError{Err: fmt.Errorf("the form cannot be read: %w", err)}
	}
	return nil
}
