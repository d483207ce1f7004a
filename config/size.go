package config

import (
	"fmt"

	"github.com/balerhq/baler/internal/dsn"
	"github.com/balerhq/baler/tasks"
)

// Size is a number of bytes, written without or with a unit; see tasks.Size.
type Size = tasks.Size

// ParseSize reads a size. Its error does not show a secret that stands in its place.
func ParseSize(s string) (Size, error) {
	n, err := tasks.ParseSize(s)
	if err != nil {
		return 0, fmt.Errorf("%s is not a size; write it as 256MiB, 64KiB or a number of bytes", dsn.Quote(s))
	}
	return n, nil
}
