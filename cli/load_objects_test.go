package cli

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/internal/testkit/storagetest"
)

// Load reads objects as it reads files: by chunks, compressed ones as a whole, each line once.
func TestLoadObjects(t *testing.T) {
	t.Parallel()
	s, server := newTestEnv(t), storagetest.New(t)
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	_, err := w.Write([]byte("{\"id\":5001,\"extra\":true}\n"))
	testkit.Must(t, err)
	testkit.Must(t, w.Close())
	server.Put("p/a.jsonl", jsonLines(1500, 1300))
	server.Put("p/b.jsonl.gz", packed.String())
	load := []string{"load", server.Address("p"), "--into", "things", "--create", "--key", "id", "--map", "id:int", "--map", "extra:bool", "--chunk", "4KiB"}
	r := s.must(exitFailures, load...)
	contains(t, "report", r.stdout, " 1,500        0           0         1          0\n")
	equal(t, "rejects", s.must(exitOK, "results", "latest", "--rejected").stdout,
		"s3://films/p/a.jsonl:1300  column id: \"bad\" is a string, not a whole number  {\"id\":\"bad\"}\n")

	contains(t, "again", s.must(exitFailures, load...).stderr, "No changes since")
	server.Put("p/c.jsonl", "{\"id\":6001}\n{\"id\":6002}\n")
	sum := loadSum(t, s.must(exitOK, append(load, "--json")...))
	equal(t, "new lines", fmt.Sprint(sum.Loaded, sum.Unchanged, sum.Bad), "2 0 0")

	// Columns are inferred of the content of objects, too.
	sum = loadSum(t, s.must(exitOK, "load", "--json", server.Address("p/b.jsonl.gz"), "--into", "inferred", "--create"))
	equal(t, "inferred", fmt.Sprint(sum.Loaded, sum.Unmapped), "1 0")
}

// An object that is replaced between its split and its load would mix the lines of both.
func TestLoadObjectThatIsReplaced(t *testing.T) {
	t.Parallel()
	s, server := newTestEnv(t), storagetest.New(t)
	server.Put("p/a.jsonl", strings.Repeat("{\"id\":1}\n", 1000))
	var reads atomic.Int64
	server.Answer(func(_ http.ResponseWriter, r *http.Request) bool {
		// It is read to check its beginning, to look for members, to split it, and by each chunk.
		if r.Method == http.MethodGet && strings.HasSuffix(r.URL.Path, "/p/a.jsonl") && reads.Add(1) == 5 {
			server.Put("p/a.jsonl", strings.Repeat("{\"id\":2}\n", 1000))
		}
		return false
	})
	load := []string{"load", server.Address("p"), "--into", "things", "--create", "--map", "id:int", "--chunk", "4KiB", "--concurrency", "1"}
	s.must(exitFailures, load...)
	text := s.must(exitOK, "results", "--json", "latest").stdout
	if !strings.Contains(text, `"code":"changed"`) || !strings.Contains(text, "replaced since it was split") {
		t.Errorf("%s", text)
	}
	sum := loadSum(t, s.must(exitOK, append(load, "--json")...))
	if sum.Loaded != 1000 || sum.Failed != 0 {
		t.Errorf("the object as it is now: %+v", sum)
	}
}

func TestLoadObjectsThatAreNotThere(t *testing.T) {
	t.Parallel()
	s, server := newTestEnv(t), storagetest.New(t)
	server.Put("p/a.json", "{\n \"id\": 1\n}\n")
	for path, want := range map[string]string{
		"gone": `there is no object "gone", and none below it`, "p": "one JSON document over several lines",
	} {
		r := s.must(exitError, "load", "--into", "t", "--create", server.Address(path))
		contains(t, path, r.stderr, want)
		if strings.Contains(r.stderr, "endpoint") {
			t.Errorf("%s shows the parameters of the address: %s", path, r.stderr)
		}
	}
	server.Answer(func(w http.ResponseWriter, r *http.Request) bool {
		return r.URL.Path == "/films/p/a.json" && storagetest.Refuse(w, http.StatusServiceUnavailable, "SlowDown")
	})
	if r := s.must(exitError, "load", "--into", "t", "--create", server.Address("p")); !strings.Contains(r.stderr, "s3://films/p/a.json") {
		t.Errorf("a service that does not answer: %s", r.stderr)
	}
}
