//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package handlers

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// lock locks an open file for its holder alone, until it is closed or the process ends. held says
// that another one has the lock; ok is false too on a file system that knows no locks.
func lock(f *os.File) (ok, held bool) {
	for {
		err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if !errors.Is(err, unix.EINTR) {
			return lockAnswer(err)
		}
	}
}

// lockAnswer is the answer of lock when the system answers err. EOPNOTSUPP, or ENOLCK of an NFS
// client whose server has no lock service, say nothing about other holders.
func lockAnswer(err error) (ok, held bool) {
	return err == nil, errors.Is(err, unix.EWOULDBLOCK)
}
