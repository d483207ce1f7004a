package testservers

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
)

// fillData makes the data folder of a new server. Initialising one takes seconds,
// and copying it a tenth of that, so a template for each version of the server is
// kept in the user's cache folder.
func fillData(ctx context.Context, binary, dir string) error {
	template, err := templatePath(ctx, binary)
	if errors.Is(err, errNoCache) {
		return initialise(ctx, binary, dir)
	}
	if err != nil {
		return err
	}
	if err := makeTemplate(ctx, binary, template); err != nil {
		return err
	}
	if err := os.CopyFS(dir, os.DirFS(template)); err != nil {
		return fmt.Errorf("copy data folder: %w", err)
	}
	return nil
}

var errNoCache = errors.New("no cache folder")

// templatePath has a hash of everything that determines the content of a template.
func templatePath(ctx context.Context, binary string) (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("%w: %w", errNoCache, err)
	}
	version, err := serverVersion(ctx, binary)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(fmt.Appendf(version, "%s %q", binary, initialiseArgs(binary, version, "")))
	return filepath.Join(cache, "baler", "testkit", "mysql-"+hex.EncodeToString(sum[:8])), nil
}

// makeTemplate returns when the template exists and is complete. When several
// processes make it at the same time, each does so in a folder of its own, and the
// first rename succeeds.
func makeTemplate(ctx context.Context, binary, template string) error {
	if _, err := os.Stat(template); err == nil {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(template), 0o700); err != nil {
		return fmt.Errorf("make cache folder: %w", err)
	}
	temporary, err := os.MkdirTemp(filepath.Dir(template), "new")
	if err != nil {
		return fmt.Errorf("make cache folder: %w", err)
	}
	defer os.RemoveAll(temporary) // the data has been renamed by then
	data := filepath.Join(temporary, "data")
	if err := initialise(ctx, binary, data); err != nil {
		return err
	}
	if err := os.Rename(data, template); err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("keep data folder: %w", err)
	}
	return nil
}

// initialise makes a data folder with the tools of the server.
func initialise(ctx context.Context, binary, dir string) error {
	version, err := serverVersion(ctx, binary)
	if err != nil {
		return err
	}
	args := initialiseArgs(binary, version, dir)
	out, err := exec.CommandContext(ctx, args[0], args[1:]...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("initialise data folder with %s: %w\n%s", args[0], err, out)
	}
	return nil
}

// initialiseArgs is the command that fills dir: MariaDB's own script, or the
// server itself for MySQL.
func initialiseArgs(binary string, version []byte, dir string) []string {
	command := []string{binary, "--no-defaults", "--initialize-insecure"}
	if bytes.Contains(version, []byte("MariaDB")) {
		command = []string{installer(), "--no-defaults", "--auth-root-authentication-method=normal", "--skip-test-db"}
	}
	return append(append(command, "--datadir="+dir), asRoot()...)
}

// installer is the path of MariaDB's script that makes a data folder. When it is
// missing, running it fails with an error that names it.
func installer() string {
	if path, err := find("mariadb-install-db", "mysql_install_db"); err == nil {
		return path
	}
	return "mariadb-install-db"
}

func serverVersion(ctx context.Context, binary string) ([]byte, error) {
	version, err := exec.CommandContext(ctx, binary, "--version").Output()
	if err != nil {
		return nil, fmt.Errorf("ask %s for its version: %w", binary, err)
	}
	return version, nil
}
