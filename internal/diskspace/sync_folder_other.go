//go:build !windows

package diskspace

import "os"

// SyncAccess is how a file is opened for Sync. It may be one that this user can only read.
const SyncAccess = os.O_RDONLY

// SyncFolder makes what was renamed in an open folder outlast a loss of power.
func SyncFolder(f *os.File) error { return f.Sync() }
