package db

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/ncruces/go-sqlite3"
	"gorm.io/gorm"
)

// sqliteMode is how a SQLite file is opened.
type sqliteMode string

// The modes. A file in WAL mode can only be read as it stands, without locks, when
// nobody may make the files beside it that readers and writers share.
const (
	readWrite sqliteMode = ""
	readOnly  sqliteMode = "ro"
	immutable sqliteMode = "immutable"
)

func (t target) sqliteDialector() (gorm.Dialector, error) {
	path, err := filepath.Abs(t.path)
	if err != nil {
		return nil, fmt.Errorf("resolve path: %w", err)
	}
	q := url.Values{}
	switch t.mode {
	case readWrite:
		if err := makeFolder(path); err != nil {
			return nil, err
		}
		q["_pragma"] = []string{
			"busy_timeout(10000)",
			"journal_mode(WAL)",
			"synchronous(NORMAL)", // in WAL mode a crash of the process loses nothing; a power cut may lose the last commits, never the file
			"foreign_keys(0)",
			"cache_size(-16384)",
			"temp_store(MEMORY)",       // what a statement of many rows changes is kept until it ends; a file would take two system calls a page
			"wal_autocheckpoint(8192)", // 32 MiB: a page that many transactions change is copied into the file once
		}
		// Writers take their lock at BEGIN: waiting works there, upgrading a read lock would not.
		q.Set("_txlock", "immediate")
	case readOnly:
		q["_pragma"] = []string{"busy_timeout(10000)", "cache_size(-16384)"}
		q.Set("mode", "ro")
		q.Set("vfs", readOnlyVFSName)
		if err := registerReadOnlyVFS(); err != nil {
			return nil, err
		}
	case immutable:
		q["_pragma"] = []string{"cache_size(-16384)"}
		q.Set("mode", "ro")
		q.Set("immutable", "1")
	}
	q.Set("_timefmt", sqliteTime)
	return sqliteDialect{dsn: sqliteURI(filepath.ToSlash(path), q), folder: filepath.Dir(path)}, nil
}

// sqliteURI returns the address of a file for SQLite. The path is absolute, with slashes. One of
// Windows begins with a drive, which would stand after two slashes as host and port.
func sqliteURI(path string, q url.Values) string {
	scheme := "file:"
	if strings.HasPrefix(path, "/") {
		scheme = "file://"
	}
	return scheme + (&url.URL{Path: path}).EscapedPath() + "?" + q.Encode()
}

// makeFolder makes the folder of a SQLite file.
func makeFolder(path string) error {
	switch info, err := os.Stat(path); {
	case err != nil: // the next step says why, if it matters
	case info.IsDir():
		return fmt.Errorf("it is a folder; name a file in it, such as sqlite:%s", filepath.Join(path, "baler.db"))
	case !info.Mode().IsRegular():
		return errors.New("it is a device, a named pipe or a socket; name a file")
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("create folder: %w", err)
	}
	return nil
}

// connectReadOnly opens a SQLite file that this user may read and not write. failed is the
// error of opening it for both; connectReadOnly returns it when anything else is wrong.
func (d *DB) connectReadOnly(ctx context.Context, t target, most int, failed error) error {
	switch sqliteCode(failed) {
	case sqlite3.CANTOPEN, sqlite3.READONLY, sqlite3.PERM, sqlite3.IOERR:
	default:
		return failed
	}
	file, err := os.Open(t.path)
	if err != nil {
		return failed
	}
	_ = file.Close() // nothing was written
	t.mode = readOnly
	if err := d.connect(ctx, t, most); err != nil {
		if _, err := os.Stat(t.path + "-wal"); !errors.Is(err, fs.ErrNotExist) {
			return failed // what is in that file would be missing
		}
		t.mode = immutable
		if err := d.connect(ctx, t, most); err != nil {
			return failed
		}
	}
	d.readOnly = fmt.Sprintf("this user may read %s, and not write it or its folder; run as its owner, or grant the right", t.path)
	return nil
}

// writable returns an error when it is known that nothing can be written.
func (d *DB) writable() error {
	if d.readOnly == "" {
		return nil
	}
	return fmt.Errorf("%w: %s", ErrReadOnly, d.readOnly)
}
