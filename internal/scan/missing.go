package scan

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"

	"github.com/balerhq/baler/tasks"
)

// missingShown is how many missing sources an error names.
const missingShown = 10

// MissingError is the error for sources that do not exist.
type MissingError struct {
	Sources []string // as the caller gave them
	causes  []error  // one for each source
}

func (e *MissingError) Error() string {
	var lines []string
	for i, source := range e.Sources {
		if i == missingShown {
			lines = append(lines, fmt.Sprintf("… and %d more paths", len(e.Sources)-i))
			break
		}
		lines = append(lines, onOneLine(source)+": "+e.causes[i].Error())
	}
	return strings.Join(lines, "\n")
}

// onOneLine shows a path in a message that has one line per path.
func onOneLine(path string) string {
	if strings.ContainsFunc(path, func(r rune) bool { return !strconv.IsPrint(r) }) {
		return strconv.Quote(path)
	}
	return path
}

// Unwrap returns the causes.
func (e *MissingError) Unwrap() []error { return e.causes }

// Missing returns a *MissingError when some of the sources do not exist or cannot be
// inspected, and nil when Scan would find all of them. objects may be nil.
func Missing(ctx context.Context, sources []string, objects ObjectLister) error {
	e := &MissingError{}
	for _, path := range sources {
		err := missing(ctx, path, objects)
		if err == nil {
			continue
		}
		if at, ok := errors.AsType[*fs.PathError](err); ok {
			err = at.Err // without the path, which the message has already
		}
		e.Sources, e.causes = append(e.Sources, path), append(e.causes, err)
	}
	if len(e.Sources) == 0 {
		return nil
	}
	return e
}

func missing(ctx context.Context, path string, objects ObjectLister) error {
	if tasks.IsObject(path) {
		if objects == nil {
			return ErrNoObjects
		}
		return objects.Exists(ctx, path)
	}
	s, err := resolve(path)
	if err == nil {
		err = s.err
	}
	return err
}
