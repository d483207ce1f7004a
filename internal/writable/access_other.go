//go:build !unix

package writable

// mayWrite is an error when this process may not make files in a folder; here nothing is known
// before it tries.
func mayWrite(string) error { return nil }
