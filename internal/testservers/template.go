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

// fillData makes a data folder as a newly installed server has it. Making one
// takes seconds, copying one a tenth of that: so the first is kept in the
// account's cache folder, a template for each version of the server.
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

// templatePath names the template after all that decides what is in it.
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

// makeTemplate returns when the template is there and whole. Several processes
// may make it at once: each works aside, and the first to rename wins.
func makeTemplate(ctx context.Context, binary, template string) error {
	if _, err := os.Stat(template); err == nil {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(template), 0o700); err != nil {
		return fmt.Errorf("make cache folder: %w", err)
	}
	aside, err := os.MkdirTemp(filepath.Dir(template), "new")
	if err != nil {
		return fmt.Errorf("make cache folder: %w", err)
	}
	defer os.RemoveAll(aside) // empty of what has been renamed
	data := filepath.Join(aside, "data")
	if err := initialise(ctx, binary, data); err != nil {
		return err
	}
	if err := os.Rename(data, template); err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("keep data folder: %w", err)
	}
	return nil
}

// initialise makes a data folder from nothing.
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
// server itself where it is MySQL.
func initialiseArgs(binary string, version []byte, dir string) []string {
	command := []string{binary, "--no-defaults", "--initialize-insecure"}
	if bytes.Contains(version, []byte("MariaDB")) {
		command = []string{installer(), "--no-defaults", "--auth-root-authentication-method=normal", "--skip-test-db"}
	}
	return append(append(command, "--datadir="+dir), asRoot()...)
}

// installer is MariaDB's script that makes a data folder; a missing one is
// reported by whoever runs it, under its own name.
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
