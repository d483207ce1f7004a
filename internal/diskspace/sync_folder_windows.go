package diskspace

import "os"

// SyncAccess is how a file is opened for Sync: Windows flushes only what is open for writing.
const SyncAccess = os.O_RDWR

// SyncFolder does nothing: Windows refuses to flush a folder, and NTFS itself keeps a journal of
// the names in it.
func SyncFolder(*os.File) error { return nil }
