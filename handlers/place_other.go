//go:build !linux

package handlers

import (
	"errors"
	"os"
)

// renameNoReplace is known on Linux only.
func renameNoReplace(*os.Root, string, string) error { return errors.ErrUnsupported }
