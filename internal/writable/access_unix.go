//go:build unix

package writable

import "golang.org/x/sys/unix"

// mayWrite is an error when this process may not make files in a folder.
func mayWrite(dir string) error { return unix.Access(dir, unix.W_OK|unix.X_OK) }
