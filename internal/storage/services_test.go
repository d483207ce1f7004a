package storage_test

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/internal/storage"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/internal/testkit/storagetest"
	"github.com/balerhq/baler/tasks"
)

// Each service does what Baler relies on: keys as they are, in order, by pages; content by ranges,
// of one version; and objects that are written as a whole or not at all, and never replaced.
func TestServices(t *testing.T) {
	for scheme, start := range map[string]func(testing.TB) []string{
		"s3":     func(t testing.TB) []string { return storagetest.New(t).Environment() },
		"gs":     storagetest.GCS,
		"azblob": storagetest.Azure,
	} {
		t.Run(scheme, func(t *testing.T) {
			for _, variable := range start(t) {
				name, value, _ := strings.Cut(variable, "=")
				t.Setenv(name, value)
			}
			b := storage.New()
			defer func() { testkit.Must(t, b.Close()) }()
			tryService(t, b, scheme+"://films")
		})
	}
}

func tryService(t *testing.T, b *storage.Buckets, bucket string) {
	t.Helper()
	put := func(key, content string, replace bool) error {
		return b.Create(t.Context(), bucket+"/"+key, replace, func(w io.Writer) error {
			_, err := io.WriteString(w, content)
			return err
		})
	}
	read := func(key string) string {
		f, err := b.Open(bucket + "/" + key)
		if err != nil {
			t.Errorf("%s: %v", key, err)
			return ""
		}
		content, err := io.ReadAll(f)
		testkit.Must(t, errors.Join(err, f.Close()))
		return string(content)
	}
	testkit.Must(t, b.Exists(t.Context(), bucket))
	keys := []string{"p/a b", "p/a+&=#", "p/a/b", "p/e\u0301", "p/empty", "p/\u00e9"}
	for _, key := range keys {
		content := "content of " + key
		if key == "p/empty" {
			content = ""
		}
		testkit.Must(t, put(key, content, false))
	}
	testkit.Must(t, put("p-other", "", false))
	var found []string
	testkit.Must(t, b.List(t.Context(), bucket+"/p", func(f tasks.File) error {
		found = append(found, strings.TrimPrefix(f.Path, bucket+"/"))
		if f.Version == "" || f.MTime.IsZero() {
			t.Errorf("listed %+v", f)
		}
		return nil
	}))
	if slices.Sort(keys); !slices.Equal(found, keys) {
		t.Errorf("listed %q", found)
	}
	if read("p/a+&=#") != "content of p/a+&=#" || read("p/empty") != "" {
		t.Error("read something else")
	}

	if err := put("p/a/b", "other", false); !errors.Is(err, fs.ErrExist) || read("p/a/b") != "content of p/a/b" {
		t.Errorf("an object that is there: %v", err)
	}
	f, err := b.Open(bucket + "/p/a/b")
	testkit.Must(t, err)
	was, err := f.Stat()
	testkit.Must(t, errors.Join(err, f.Close()))
	testkit.Must(t, put("p/a/b", "replaced", true))
	f, err = b.Open(bucket + "/p/a/b")
	testkit.Must(t, err)
	is, err := f.Stat()
	testkit.Must(t, errors.Join(err, f.Close()))
	if read("p/a/b") != "replaced" || handlers.ObjectVersion(was) == handlers.ObjectVersion(is) || handlers.ObjectVersion(is) == "" {
		t.Errorf("replaced: %q, version %q after %q", read("p/a/b"), handlers.ObjectVersion(is), handlers.ObjectVersion(was))
	}
	broken := errors.New("broken")
	err = b.Create(t.Context(), bucket+"/p/never", false, func(w io.Writer) error {
		_, err := w.Write(make([]byte, 1<<20))
		return errors.Join(err, broken)
	})
	if _, openErr := b.Open(bucket + "/p/never"); err == nil || !strings.Contains(err.Error(), "broken") || !errors.Is(openErr, fs.ErrNotExist) {
		t.Errorf("what is not finished: %v, %v", err, openErr)
	}
	if err := b.Exists(t.Context(), strings.Replace(bucket, "films", "nowhere", 1)); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "there is no such bucket") {
		t.Errorf("no bucket: %v", err)
	}
	testkit.Must(t, b.Remove(t.Context(), bucket+"/p/a/b"))
	if _, err := b.Open(bucket + "/p/a/b"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("removed: %v", err)
	}

	content := make([]byte, 9<<20)
	random := rand.NewChaCha8([32]byte{2})
	_, _ = random.Read(content) // it never fails
	testkit.Must(t, put("large", string(content), false))
	f, err = b.Open(bucket + "/large")
	testkit.Must(t, err)
	tail := make([]byte, 1000)
	_, err = f.ReadAt(tail, int64(len(content)-1000))
	whole, readErr := io.ReadAll(f)
	if err != nil || readErr != nil || !bytes.Equal(tail, content[len(content)-1000:]) || !bytes.Equal(whole, content) {
		t.Errorf("by ranges: %v, %v", err, readErr)
	}
	testkit.Must(t, put("large", string(content)+".", true))
	if _, err := f.ReadAt(tail, 512<<10); err == nil || !strings.Contains(err.Error(), "changed") {
		t.Errorf("an object that changes while it is read: %v", err)
	}
	testkit.Must(t, f.Close())
}
