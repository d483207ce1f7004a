//go:build !linux && !darwin

package diskspace

import "os"

// DiskOf is not known here.
func DiskOf(*os.File) (disk uint64, ok bool) { return 0, false }
