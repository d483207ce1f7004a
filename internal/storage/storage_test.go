package storage_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/iotest"

	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/internal/storage"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/internal/testkit/storagetest"
	"github.com/balerhq/baler/tasks"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// buckets opens a server's bucket.
func buckets(t *testing.T, server *storagetest.S3) *storage.Buckets {
	t.Helper()
	b := storage.New()
	t.Cleanup(func() { testkit.Must(t, b.Close()) })
	_, err := b.Add(server.Address(""))
	testkit.Must(t, err)
	return b
}

func keys(t *testing.T, b *storage.Buckets, path string) (found []string, err error) {
	t.Helper()
	err = b.List(t.Context(), path, func(f tasks.File) error {
		found = append(found, strings.TrimPrefix(f.Path, storagetest.Bucket+"/"))
		if f.MTime.IsZero() {
			t.Errorf("%s has no time", f.Path)
		}
		return nil
	})
	return found, err
}

// Keys are what they are: no name in them has a meaning.
func oddKeys() []string {
	return []string{
		"p", "p/", "p/ a b ", "p/%2F", "p/+&=?#", "p/../up", "p/.hidden", "p/\"quoted\"", "p/\\back", "p/__0x2f__",
		"p/a//b", "p/a/b", "p/e\u0301", "p/long" + strings.Repeat("k", 1018), "p/\u00e9", "p/\U0001f600",
	}
}

func TestListAndReadOddKeys(t *testing.T) {
	t.Parallel()
	server := storagetest.New(t)
	for _, key := range append(oddKeys(), "p-other", "q") {
		server.Put(key, "content of "+key)
	}
	b := buckets(t, server)
	found, err := keys(t, b, "s3://films/p")
	testkit.Must(t, err)
	want := slices.Sorted(slices.Values(oddKeys()))
	if !slices.Equal(found, want) {
		t.Errorf("listed %q\n  want %q", found, want)
	}
	for _, key := range want {
		f, err := b.Open("s3://films/" + key)
		testkit.Must(t, err)
		content, err := io.ReadAll(f)
		testkit.Must(t, errors.Join(err, f.Close()))
		if string(content) != "content of "+key {
			t.Errorf("%q: %q", key, content)
		}
	}
}

func TestListInPages(t *testing.T) {
	t.Parallel()
	server := storagetest.New(t)
	var want []string
	for i := range 2001 {
		want = append(want, fmt.Sprintf("p/%05d", i))
		server.Put(want[i], "")
	}
	b := buckets(t, server)
	found, err := keys(t, b, "s3://films")
	testkit.Must(t, err)
	if !slices.Equal(found, want) {
		t.Errorf("%d objects from %s to %s", len(found), found[0], found[len(found)-1])
	}
	if requests := server.Requests(); len(requests) != 3 {
		t.Errorf("%d requests: %q", len(requests), requests)
	}
	stop := errors.New("stop")
	if err := b.List(t.Context(), "s3://films", func(tasks.File) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("an error of emit ends the listing, not with %v", err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := b.List(ended, "s3://films", func(tasks.File) error { return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("canceled: %v", err)
	}
}

func TestWhatIsNotThere(t *testing.T) {
	t.Parallel()
	server := storagetest.New(t)
	server.Put("p/a", "a")
	b := buckets(t, server)
	other := storage.New()
	defer func() { testkit.Must(t, other.Close()) }()
	_, err := other.Add(strings.Replace(server.Address(""), "films", "nowhere", 1))
	testkit.Must(t, err)
	_, openErr := b.Open("s3://films/b")
	_, folderErr := b.Open("s3://films/p")
	_, statErr := b.Stat(t.Context(), "s3://films/p")
	_, listErr := keys(t, b, "s3://films/p/b")
	for name, c := range map[string]struct {
		err  error
		want string
	}{
		"object":        {openErr, "there is no such object"},
		"prefix opened": {folderErr, "there is no such object"},
		"prefix":        {statErr, "there is no such object"},
		"listed":        {listErr, `there is no object "p/b", and none below it`},
		"exists":        {b.Exists(t.Context(), "s3://films/b"), `there is no object "b", and none below it`},
		"bucket":        {other.Exists(t.Context(), "s3://nowhere"), "there is no such bucket"},
		"in no bucket":  {other.Exists(t.Context(), "s3://nowhere/p"), "there is no such bucket"},
	} {
		if !errors.Is(c.err, fs.ErrNotExist) || !strings.Contains(c.err.Error(), c.want) {
			t.Errorf("%s: %v; want %s", name, c.err, c.want)
		}
	}
	listed, err := b.Stat(t.Context(), "s3://films/p/a")
	testkit.Must(t, err)
	f, err := b.Open("s3://films/p/a")
	testkit.Must(t, err)
	info, err := f.Stat()
	testkit.Must(t, errors.Join(err, f.Close()))
	if v := handlers.ObjectVersion(info); v == "" || v != listed.Version {
		t.Errorf("opened as %q, listed as %+v", v, listed)
	}
	for _, path := range []string{"s3://films", "s3://films/p", "s3://films/p/a"} {
		testkit.Must(t, b.Exists(t.Context(), path))
	}
	server.Remove("p/a")
	testkit.Must(t, b.Exists(t.Context(), "s3://films")) // empty, and there
	if found, err := keys(t, b, "s3://films"); err != nil || len(found) > 0 {
		t.Errorf("an empty bucket has %q, %v", found, err)
	}
}

func TestReadByRanges(t *testing.T) {
	t.Parallel()
	server := storagetest.New(t)
	content := make([]byte, 10<<20+12345)
	random := rand.NewChaCha8([32]byte{1})
	_, _ = random.Read(content) // it never fails
	server.Put("film", string(content))
	server.Put("empty", "")
	b := buckets(t, server)
	f, err := b.Open("s3://films/film")
	testkit.Must(t, err)
	info, err := f.Stat()
	testkit.Must(t, err)
	if info.Size() != int64(len(content)) || info.Name() != "film" {
		t.Errorf("%s has %d bytes", info.Name(), info.Size())
	}
	server.Requests()
	whole, err := io.ReadAll(f)
	testkit.Must(t, err)
	if !bytes.Equal(whole, content) {
		t.Error("read something else")
	}
	if n := len(server.Requests()); n > 6 {
		t.Errorf("%d requests to read it from the beginning to the end", n)
	}
	for range 100 {
		off := rand.Int64N(int64(len(content)))
		p := make([]byte, rand.IntN(1000))
		n, err := f.ReadAt(p, off)
		if n < len(p) && !errors.Is(err, io.EOF) || !bytes.Equal(p[:n], content[off:off+int64(n)]) {
			t.Fatalf("%d of %d bytes at %d: %v", n, len(p), off, err)
		}
	}
	testkit.Must(t, f.Close())
	if _, err := f.ReadAt(make([]byte, 1), 0); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("read after Close: %v", err)
	}

	empty, err := b.Open("s3://films/empty")
	testkit.Must(t, err)
	testkit.Must(t, iotest.TestReader(empty, nil))
	testkit.Must(t, empty.Close())
	server.Put("small", "alpha and beta")
	small, err := b.Open("s3://films/small")
	testkit.Must(t, err)
	testkit.Must(t, iotest.TestReader(small, []byte("alpha and beta")))
	testkit.Must(t, small.Close())
}

// All that is read is of one version, also when its size and time stay.
func TestObjectThatChangesWhileItIsRead(t *testing.T) {
	t.Parallel()
	server := storagetest.New(t)
	server.Put("film", strings.Repeat("a", 1<<20))
	b := buckets(t, server)
	f, err := b.Open("s3://films/film")
	testkit.Must(t, err)
	defer func() { testkit.Must(t, f.Close()) }()
	server.Put("film", strings.Repeat("b", 1<<20))
	n, err := io.Copy(io.Discard, f)
	verdict, ok := errors.AsType[*handlers.Verdict](handlers.RetryLater(handlers.CodeIO, err))
	if !ok || verdict.Code != handlers.CodeChangedWhileReading || verdict.Outcome != tasks.OutcomeError || n >= 1<<20 {
		t.Errorf("read %d bytes: %v", n, err)
	}
	if _, err := f.ReadAt(make([]byte, 1), 1<<19); err == nil {
		t.Error("it can be read again")
	}
}

func TestServersThatFail(t *testing.T) {
	t.Setenv("AWS_MAX_ATTEMPTS", "1") // no pauses
	server := storagetest.New(t)
	content := strings.Repeat("0123456789", 100_000)
	server.Put("film", content)
	b := buckets(t, server)
	for _, c := range []struct {
		status int
		code   string
		want   error
		text   string
	}{
		{403, "AccessDenied", fs.ErrPermission, "access is denied: AccessDenied: as the test wants"},
		{403, "InvalidAccessKeyId", fs.ErrPermission, "access is denied"},
		{503, "SlowDown", nil, "fewer requests"},
		{500, "InternalError", nil, "InternalError"},
		{301, "PermanentRedirect", nil, "another region"},
	} {
		server.Answer(func(w http.ResponseWriter, _ *http.Request) bool { return storagetest.Refuse(w, c.status, c.code) })
		_, err := b.Open("s3://films/film")
		if err == nil || !strings.Contains(err.Error(), c.text) || c.want != nil && !errors.Is(err, c.want) || errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: %v", c.code, err)
		}
		if _, err := keys(t, b, "s3://films"); err == nil || !strings.Contains(err.Error(), c.text) {
			t.Errorf("%s: listed: %v", c.code, err)
		}
	}

	// A connection that breaks in the middle is tried again.
	var broken atomic.Int64
	server.Answer(func(w http.ResponseWriter, r *http.Request) bool {
		if r.Header.Get("Range") == "" || broken.Add(1) > 2 {
			return false
		}
		w.Header().Set("Content-Range", "bytes 0-262143/1000000")
		w.Header().Set("Content-Length", "262144")
		w.Header().Set("ETag", `"x"`)
		w.WriteHeader(http.StatusPartialContent)
		_, _ = io.WriteString(w, content[:1000])
		testkit.Must(t, http.NewResponseController(w).Flush())
		panic(http.ErrAbortHandler)
	})
	f, err := b.Open("s3://films/film")
	testkit.Must(t, err)
	whole, err := io.ReadAll(f)
	testkit.Must(t, errors.Join(err, f.Close()))
	if string(whole) != content || broken.Load() <= 2 {
		t.Errorf("read %d bytes, after %d requests", len(whole), broken.Load())
	}
}

// XML cannot hold every character: S3 encodes keys when it is asked to.
func TestListEncodedKeys(t *testing.T) {
	t.Parallel()
	server := storagetest.New(t)
	b := buckets(t, server)
	server.Answer(func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Query().Get("encoding-type") != "url" {
			t.Error("keys need not be encoded")
		}
		_, _ = io.WriteString(w, "<ListBucketResult><EncodingType>url</EncodingType><Contents><Key>p%2F%01+%2B%0A%25</Key><Size>1</Size>"+
			"<LastModified>2026-01-01T00:00:00.000Z</LastModified></Contents></ListBucketResult>")
		return true
	})
	if found, err := keys(t, b, "s3://films"); err != nil || !slices.Equal(found, []string{"p/\x01 +\n%"}) {
		t.Errorf("%q, %v", found, err)
	}
}

// A listing that goes wrong is no short listing.
func TestBadListings(t *testing.T) {
	t.Parallel()
	server := storagetest.New(t)
	b := buckets(t, server)
	object := func(key string) string {
		return "<Contents><Key>" + key + "</Key><Size>1</Size><LastModified>2026-01-01T00:00:00.000Z</LastModified></Contents>"
	}
	for name, c := range map[string]struct{ body, want string }{
		"order":       {object("p/b") + object("p/a"), "in the order of their bytes"},
		"foreign":     {object("q/a"), "does not begin with"},
		"no token":    {object("p/a") + "<IsTruncated>true</IsTruncated>", "and not where"},
		"no XML":      {"<Contents>", ""},
		"wrong codes": {"<EncodingType>url</EncodingType>" + object("p/%zz"), "encoded wrongly"},
	} {
		server.Answer(func(w http.ResponseWriter, r *http.Request) bool {
			if strings.HasSuffix(r.URL.Query().Get("prefix"), "/") {
				_, _ = io.WriteString(w, "<ListBucketResult>"+c.body+"</ListBucketResult>")
				return true
			}
			return false
		})
		if _, err := keys(t, b, "s3://films/p"); err == nil || errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestParametersOfOneBucket(t *testing.T) {
	t.Parallel()
	server := storagetest.New(t)
	b := buckets(t, server)
	path, err := b.Add(server.Address("p/q"))
	if err != nil || path != "s3://films/p/q" {
		t.Errorf("%s, %v", path, err)
	}
	if path, err := b.Add("s3://films/p"); err != nil || path != "s3://films/p" {
		t.Errorf("%s, %v", path, err)
	}
	if _, err := b.Add("s3://films?region=eu-west-1"); err == nil {
		t.Error("two addresses of one bucket contradict each other")
	}
}
