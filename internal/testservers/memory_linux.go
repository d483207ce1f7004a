package testservers

import "golang.org/x/sys/unix"

const (
	sharedMemory = "/dev/shm"

	// memoryNeeded is free memory for several servers, and for what the tests write.
	memoryNeeded = 4 << 30
)

// memoryFolder is a folder in memory, or empty when there is none with enough room, as in
// most containers.
func memoryFolder() string {
	var s unix.Statfs_t
	if unix.Access(sharedMemory, unix.W_OK) != nil || unix.Statfs(sharedMemory, &s) != nil ||
		s.Type != unix.TMPFS_MAGIC || s.Bavail*uint64(s.Bsize) < memoryNeeded {
		return ""
	}
	return sharedMemory
}
