//go:build !linux

package diskspace

import "os"

// CanSync says whether Sync writes a whole file system. Where it does not, each file must be synced.
const CanSync = false

// Sync syncs the file alone.
func Sync(f *os.File) error { return f.Sync() }
