package scan

import (
	"context"
	"errors"

	"github.com/balerhq/baler/tasks"
)

// ErrNoContent means that a scan found no readable file that is not empty.
var ErrNoContent = errors.New("there is no file with content")

// First returns the path of the first readable file that is not empty, in the order
// of Scan. Without one the error is ErrNoContent.
func First(ctx context.Context, sources []string) (string, error) {
	found := ""
	stop := errors.New("stop") // ends the scan at the first hit
	_, err := Scan(ctx, sources, Options{}, func(f tasks.File) error {
		if f.ScanError != "" || f.Size == 0 {
			return nil
		}
		found = f.Path
		return stop
	})
	switch {
	case found != "":
		return found, nil
	case err != nil:
		return "", err
	}
	return "", ErrNoContent
}
