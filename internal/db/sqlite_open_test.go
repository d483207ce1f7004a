package db

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ncruces/go-sqlite3"
	"golang.org/x/sync/errgroup"
	"gorm.io/gorm"

	"github.com/balerhq/baler/internal/testkit"
)

// A user with read permission only can read a SQLite file while others write it. A write
// returns an error with the reason. The permissions do not apply to root, so the test
// supplies the error instead of causing it.
func TestSQLiteFileThatMayOnlyBeRead(t *testing.T) {
	t.Parallel()
	b := newEnv(t, SQLite)
	_, err := b.Migrate(t.Context())
	testkit.Must(t, err)
	parsed, err := parseURL(b.url)
	testkit.Must(t, err)
	d := &DB{dialect: SQLite, description: parsed.describe(), clock: clock{host: time.Now}, log: b.log}
	testkit.Must(t, d.connectReadOnly(t.Context(), parsed, 2, sqlite3.CANTOPEN))
	testkit.CloseAtEnd(t, d)
	if pending, err := d.Pending(t.Context()); err != nil || len(pending) > 0 {
		t.Errorf("lacks %v, %v", pending, err)
	}
	err = d.Write(t.Context(), "write", func(*gorm.DB, time.Time) error { return errors.New("it is tried") })
	if !errors.Is(err, ErrReadOnly) || IsTransient(err) || !strings.Contains(err.Error(), parsed.path) {
		t.Errorf("%v", err)
	}
	// Later commits are visible.
	testkit.Must(t, b.Session(t.Context()).Exec("INSERT INTO "+migrationsTable+" (id) VALUES ('9999')").Error)
	_, err = d.Pending(t.Context())
	wantErr(t, err, ErrSchemaNewer)
}

// A file that nobody has open is read without the files beside it.
func TestSQLiteFileWithoutTheFilesBesideIt(t *testing.T) {
	t.Parallel()
	b := newEnv(t, SQLite)
	_, err := b.Migrate(t.Context())
	testkit.Must(t, err)
	testkit.Must(t, b.Close())
	parsed, err := parseURL(b.url)
	testkit.Must(t, err)
	parsed.mode = immutable
	d := &DB{dialect: SQLite, description: parsed.describe(), clock: clock{host: time.Now}, log: b.log}
	testkit.Must(t, d.connect(t.Context(), parsed, 2))
	testkit.CloseAtEnd(t, d)
	if pending, err := d.Pending(t.Context()); err != nil || len(pending) > 0 {
		t.Errorf("lacks %v, %v", pending, err)
	}
	if beside, err := filepath.Glob(parsed.path + "-*"); err != nil || len(beside) > 0 {
		t.Errorf("made %v, %v", beside, err)
	}
}

// Programs that start at the same time make the file together.
func TestManyOpenANewSQLiteFile(t *testing.T) {
	t.Parallel()
	for range 20 {
		url := "sqlite:" + filepath.Join(t.TempDir(), "new.db")
		var all errgroup.Group
		for range 4 {
			all.Go(func() error {
				d, err := Open(t.Context(), url, Options{})
				if err != nil {
					return err
				}
				_, err = d.Migrate(t.Context())
				return errors.Join(err, d.Close())
			})
		}
		testkit.Must(t, all.Wait())
	}
}

func TestErrorsOfOpeningSQLite(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	testkit.Must(t, os.WriteFile(filepath.Join(dir, "notes.txt"), []byte(strings.Repeat("no database. ", 100)), 0o600))
	for path, told := range map[string]string{
		dir:                            "name a file in it, such as sqlite:" + dir + "/baler.db",
		dir + "/notes.txt":             "notes.txt: the file is not a SQLite database (name another file in BALER_DATABASE_URL)",
		os.DevNull:                     "it is a device, a named pipe or a socket; name a file",
		dir + "/notes.txt/baler.db":    "create folder",
		dir + "/notes.txt/no/baler.db": "create folder",
	} {
		d, err := Open(t.Context(), "sqlite:"+path, Options{})
		if err == nil {
			testkit.Must(t, d.Close())
		}
		if err == nil || !strings.Contains(err.Error(), told) || strings.Contains(err.Error(), "pragma") || strings.Contains(err.Error(), "start the database") {
			t.Errorf("%s: %v", path, err)
		}
	}
}

func TestDiskErrorsArePlain(t *testing.T) {
	t.Parallel()
	for _, code := range []sqlite3.ErrorCode{sqlite3.IOERR, sqlite3.FULL} {
		err := sqliteDialect{folder: t.TempDir()}.Translate(fmt.Errorf("insert: %w", code))
		if err == nil || !strings.Contains(err.Error(), "SQLite cannot write: ") || !errors.Is(err, code) {
			t.Errorf("%v", err)
		}
	}
	if err := (sqliteDialect{folder: "/proc"}).Translate(sqlite3.FULL); err == nil || !strings.Contains(err.Error(), "the disk of /proc is full") {
		t.Errorf("on a disk without room: %v", err) // nothing is free there
	}
}

// SQLite and its driver read the path that the address was made of, also one of Windows.
func TestAddressOfASQLiteFile(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]string{
		"/var/lib/baler/baler.db":         "file:///var/lib/baler/baler.db?mode=ro",
		"/a b/100%/what?/#1.db":           "file:///a%20b/100%25/what%3F/%231.db?mode=ro",
		"C:/Users/Ada L/AppData/baler.db": "file:C:/Users/Ada%20L/AppData/baler.db?mode=ro",
		"//server/share/baler.db":         "file:////server/share/baler.db?mode=ro",
	} {
		got := sqliteURI(path, url.Values{"mode": {"ro"}})
		if got != want {
			t.Errorf("%s: %s, not %s", path, got, want)
		}
		parsed, err := url.Parse(got) // as the driver does
		if err != nil || parsed.RawQuery != "mode=ro" {
			t.Errorf("%s: the driver reads %+v, %v", got, parsed, err)
		}
	}
}
