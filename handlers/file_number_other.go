//go:build !unix

package handlers

import "os"

// fileNumber is the number that a file has on its file system; 0 when it has none.
func fileNumber(os.FileInfo) uint64 { return 0 }
