//go:build !linux

package tasks

import (
	"os"
	"time"
)

// looks says that look is not worth an open directory.
const looks = false

// look leaves every name to be looked at by its path.
func look(*os.File, string) (size int64, mtime time.Time, regular bool) { return 0, mtime, false }
