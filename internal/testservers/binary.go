package testservers

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// ErrMissing is wrapped when no binary of a server is installed.
var ErrMissing = errors.New("not installed")

// RedisBinary finds the server that speaks Redis.
func RedisBinary() (string, error) { return find("redis-server", "valkey-server") }

// MySQLBinary finds the server that speaks MySQL, MariaDB's before MySQL's own.
func MySQLBinary() (string, error) { return find("mariadbd", "mysqld") }

// find takes the first name that is there. Packages put daemons where the search
// path of an ordinary account does not look.
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
