package loading

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/balerhq/baler/handlers/builtin/load"
	"github.com/balerhq/baler/internal/ingest"
	"github.com/balerhq/baler/internal/storage"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/internal/transfertest"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// loads prepares loads into the tables of a database, and keeps its log.
type loads struct {
	*transfertest.Env
	*Preparer
	logged bytes.Buffer
	dir    string
}

func newLoads(t *testing.T, url string) *loads {
	t.Helper()
	l := &loads{Env: transfertest.New(t, url, "name: t\nsteps: [{handler: noop}]"), dir: t.TempDir()}
	objects := storage.New()
	testkit.CloseAtEnd(t, objects)
	log := slog.New(slog.NewTextHandler(&l.logged, nil))
	l.Preparer = New(Options{
		Store: l.Store, Transfers: l.Transfers, Objects: objects, Log: log,
		Ingester: ingest.New(ingest.Options{Store: l.Store, Transfers: l.Transfers, Log: log}),
	})
	return l
}

// file writes a file of lines, and returns its path.
func (l *loads) file(name string, lines ...string) string {
	l.T.Helper()
	path := filepath.Join(l.dir, name)
	l.Must(os.WriteFile(path, []byte(strings.Join(lines, "\n")+"\n"), 0o600))
	return path
}

func (l *loads) into(table string, paths ...string) Load {
	return Load{Args: load.Args{Into: table, Create: true}, Paths: paths, ChunkSize: 1 << 20}
}

// columns are those of a table; none when there is no table.
func (l *loads) columns(table string) []string {
	rows, err := l.DB().QueryContext(l.T.Context(), "SELECT * FROM "+table)
	if err != nil {
		return nil
	}
	defer rows.Close()
	names, err := rows.Columns()
	l.Must(errors.Join(err, rows.Err()))
	slices.Sort(names)
	return names
}

// A load makes its table once; prepared again it is the same, and gets the columns that are new.
func TestPrepareALoadTwice(t *testing.T) {
	testkit.EachDatabase(t, func(t *testing.T, url string) {
		l := newLoads(t, url)
		one := l.file("one.jsonl", `{"id":1,"name":"a"}`, `{"id":2,"name":"b"}`)
		first, err := l.Recipe(t.Context(), l.into("people", one))
		l.Must(err)
		if got := l.columns("people"); !slices.Equal(got, []string{"id", "name"}) {
			t.Errorf("the table has %q", got)
		}
		again, err := l.Recipe(t.Context(), l.into("people", one))
		if err != nil || again.Digest() != first.Digest() {
			t.Errorf("another recipe, %v", err)
		}
		var added []string
		more := l.into("people", one, l.file("two.jsonl", `{"id":3,"town":"c"}`))
		more.OnColumnsAdded = func(names []string) { added = append(added, names...) }
		if _, err := l.Recipe(t.Context(), more); err != nil || !slices.Equal(added, []string{"town"}) {
			t.Errorf("added %q, %v", added, err)
		}
		if got := l.columns("people"); !slices.Equal(got, []string{"id", "name", "town"}) {
			t.Errorf("the table has %q", got)
		}
		if l.logged.Len() > 0 {
			t.Errorf("it warns: %s", l.logged.String())
		}
	})
}

// What cannot be loaded is refused before there is a table.
func TestPrepareABadLoad(t *testing.T) {
	t.Parallel()
	l := newLoads(t, testkit.SQLite(t))
	good := l.file("good.jsonl", `{"id":1}`)
	for name, bad := range map[string]Load{
		"no such file":          l.into("people", filepath.Join(l.dir, "none")),
		"one of two is missing": l.into("people", good, filepath.Join(l.dir, "none")),
		"no table":              l.into("", good),
		"a table of Baler":      l.into("files", good),
		"nothing to make it of": l.into("people", l.file("empty.jsonl")),
		"no JSON":               l.into("people", l.file("text.jsonl", "id,name", "1,a")),
		"a table to be there":   {Args: load.Args{Into: "people"}, Paths: []string{good}},
		"a key without columns": {Args: load.Args{Into: "people", Create: true, Key: []string{"none"}}, Paths: []string{good}},
	} {
		if r, err := l.Recipe(t.Context(), bad); err == nil {
			t.Errorf("%s: the recipe is %v", name, r.Name)
		}
		if got := l.columns("people"); got != nil {
			t.Errorf("%s: there is a table with %q", name, got)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := l.Recipe(ctx, l.into("people", good)); !errors.Is(err, context.Canceled) {
		t.Errorf("canceled: %v", err)
	}
	if err := l.ForgetLost(ctx, "key"); !errors.Is(err, context.Canceled) {
		t.Errorf("canceled: %v", err)
	}
	l.Must(l.ForgetLost(t.Context(), "key of no run"))
	if _, err := l.Recipe(t.Context(), l.into("people", good)); err != nil { // nothing stands in the way
		t.Error(err)
	}
}

// Several processes prepare the same load at once: one table, and no error.
func TestPrepareALoadAtOnce(t *testing.T) {
	testkit.EachDatabase(t, func(t *testing.T, url string) {
		l := newLoads(t, url)
		one := l.file("one.jsonl", `{"id":1,"name":"a"}`)
		testkit.AtOnce(t, 4, func(i int) error {
			_, err := l.Recipe(t.Context(), l.into("people", one))
			if err != nil {
				err = fmt.Errorf("process %d: %w", i, err)
			}
			return err
		})
		if got := l.columns("people"); !slices.Equal(got, []string{"id", "name"}) {
			t.Errorf("the table has %q", got)
		}
	})
}
