package testservers

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// ErrMissing is the error of a server whose binary is not installed.
var ErrMissing = errors.New("not installed")

// RedisBinary returns the path of a Redis or Valkey server. The error wraps
// ErrMissing.
func RedisBinary() (string, error) { return find("redis-server", "valkey-server") }

// MySQLBinary returns the path that MySQLProgramVariable has, or else of a MariaDB server,
// or else of a MySQL server. The error wraps ErrMissing.
func MySQLBinary() (string, error) {
	if path := os.Getenv(MySQLProgramVariable); path != "" {
		return exec.LookPath(path)
	}
	return find("mariadbd", "mysqld")
}

// find returns the path of the first name that is installed. It also searches the
// folders of daemons, which are not in the PATH of ordinary accounts.
func find(names ...string) (string, error) {
	folders := append(filepath.SplitList(os.Getenv("PATH")),
		"/usr/sbin", "/usr/local/sbin", "/sbin", "/usr/libexec", "/opt/homebrew/bin", "/usr/local/bin")
	for _, name := range names {
		for _, folder := range folders {
			if path, err := exec.LookPath(filepath.Join(folder, name)); err == nil {
				return path, nil
			}
		}
	}
	return "", fmt.Errorf("%s: %w", strings.Join(names, " or "), ErrMissing)
}
