package copy

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/handlers/handlertest"
	"github.com/balerhq/baler/internal/storage"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/internal/testkit/storagetest"
	"github.com/balerhq/baler/tasks"
)

func objects(t *testing.T) (*storagetest.S3, *storage.Buckets) {
	t.Helper()
	server, b := storagetest.New(t), storage.New()
	t.Cleanup(func() { testkit.Must(t, b.Close()) })
	_, err := b.Add(server.Address(""))
	testkit.Must(t, err)
	return server, b
}

func puts(server *storagetest.S3) (n int) {
	for _, r := range server.Requests() {
		if strings.HasPrefix(r, "PUT ") || strings.HasPrefix(r, "POST ") {
			n++
		}
	}
	return n
}

func TestCopyIntoObjectStorage(t *testing.T) {
	t.Parallel()
	source, file, _ := folders(t)
	server, b := objects(t)
	args := map[string]any{"to": "s3://films/copies"}
	run := func(args map[string]any, facts map[string]any) tasks.Result {
		r, err := handlertest.DryRun{
			Args: args, Facts: facts, Sources: []string{source}, Outputs: []string{"s3://films/copies"}, Objects: b,
		}.Run(t.Context(), New(), file)
		testkit.Must(t, err)
		return r[0]
	}
	r := run(args, nil)
	want(t, r, tasks.OutcomeSucceeded, "")
	if content, _ := server.Get("copies/sub/a.txt"); content != "alpha" ||
		!strings.Contains(string(r.Facts), `"copied_to":"s3://films/copies/sub/a.txt"`) || !strings.Contains(string(r.Facts), `"size":5`) ||
		!strings.Contains(string(r.Facts), "8ed3f6ad685b959ead7022518e1af76cd816f8e8ec7ccdda1ed4018e8f2223f8") {
		t.Errorf("%q, %s", content, r.Facts)
	}
	server.Requests()
	want(t, run(args, nil), tasks.OutcomeSucceeded, "") // it may run twice
	if n := puts(server); n != 0 {
		t.Errorf("what is there already is written again: %d times", n)
	}
	server.Put("copies/sub/a.txt", "other")
	want(t, run(args, nil), tasks.OutcomeFailed, handlers.CodeDestinationExists)
	if content, _ := server.Get("copies/sub/a.txt"); content != "other" || puts(server) != 0 {
		t.Errorf("replaced by %q", content)
	}
	want(t, run(map[string]any{"to": "s3://films/copies", "replace": true}, nil), tasks.OutcomeSucceeded, "")
	if content, _ := server.Get("copies/sub/a.txt"); content != "alpha" {
		t.Errorf("not replaced: %q", content)
	}
	server.Remove("copies/sub/a.txt")
	want(t, run(args, map[string]any{"sha256": "00"}), tasks.OutcomeFailed, handlers.CodeDigestMismatch)
	if content, there := server.Get("copies/sub/a.txt"); there {
		t.Errorf("put in place: %q", content)
	}
	for to, code := range map[string]string{
		"s3://films/elsewhere":                           handlers.CodeOutsideOutputs,
		"s3://films/copies/../elsewhere":                 handlers.CodeOutsideOutputs,
		"s3://other/copies":                              handlers.CodeOutsideOutputs,
		"s3://AKIA:hush@films/copies":                    handlers.CodeBadArgs,
		"s3://films/copies?anonymous=true":               handlers.CodeBadArgs,
		"s3://films/copies/" + strings.Repeat("k", 1010): handlers.CodeUnsupportedName,
	} {
		r := run(map[string]any{"to": to}, nil)
		want(t, r, tasks.OutcomeFailed, code)
		if strings.Contains(r.Error, "hush") {
			t.Error(r.Error)
		}
	}
}

// A large object goes in several parts.
func TestCopyLargeFiles(t *testing.T) {
	t.Parallel()
	server, b := objects(t)
	source := t.TempDir()
	content := strings.Repeat("0123456789abcdef", 1<<20)
	file := filepath.Join(source, "film")
	testkit.Must(t, os.WriteFile(file, []byte(content), 0o600))
	r, err := handlertest.DryRun{
		Args: map[string]any{"to": "s3://films"}, Sources: []string{source}, Outputs: []string{"s3://films"}, Objects: b,
	}.Run(t.Context(), New(), file)
	testkit.Must(t, err)
	want(t, r[0], tasks.OutcomeSucceeded, "")
	if got, _ := server.Get("film"); got != content {
		t.Errorf("%d bytes arrived", len(got))
	}
	if n := puts(server); n < 3 {
		t.Errorf("%d requests that write", n)
	}
}

func TestCopyFromObjectStorage(t *testing.T) {
	t.Parallel()
	server, b := objects(t)
	to := t.TempDir()
	server.Put("p/a/../../../b", "alpha")
	server.Put("p//c/", "beta")
	for key, local := range map[string]string{"p/a/../../../b": "p/a/%2E%2E/%2E%2E/%2E%2E/b", "p//c/": "p/%/c/%"} {
		for dest, check := range map[string]func() (string, bool){
			to: func() (string, bool) {
				text, err := os.ReadFile(filepath.Join(to, local))
				return string(text), err == nil
			},
			"s3://films/copies": func() (string, bool) { return server.Get("copies/" + key) },
		} {
			want, _ := server.Get(key)
			file := tasks.File{No: 1, Path: "s3://films/" + key}
			outputs, err := handlers.NewOutputRoots([]string{to, "s3://films"})
			testkit.Must(t, err)
			job := handlers.NewJob(handlers.JobSpec{File: file, Opener: b, Outputs: outputs.WithObjects(b), Sources: nil})
			_, _, err = To(t.Context(), job, handlers.JoinDestination(dest, map[bool]string{true: key, false: local}[tasks.IsObject(dest)]), false)
			if got, _ := check(); err != nil || got != want {
				t.Errorf("%s to %s: %q, %v", key, dest, got, err)
			}
		}
	}
	job := handlers.NewJob(handlers.JobSpec{File: tasks.File{Path: "s3://films/p//c/"}, Sources: []string{"s3://films"}})
	if got := job.DestinationIn(to); got != filepath.Join(to, "p/%/c/%") {
		t.Errorf("it goes to %s", got)
	}
	if got := job.DestinationIn("s3://films/copies/"); got != "s3://films/copies/p//c/" {
		t.Errorf("it goes to %s", got)
	}
}

// What fails leaves nothing in the place, or what was there.
func TestCopyIntoStorageThatFails(t *testing.T) {
	t.Setenv("AWS_MAX_ATTEMPTS", "1") // no pauses
	source, file, _ := folders(t)
	server, b := objects(t)
	run := func() tasks.Result {
		r, err := handlertest.DryRun{
			Args: map[string]any{"to": "s3://films"}, Sources: []string{source}, Outputs: []string{"s3://films"}, Objects: b,
		}.Run(t.Context(), New(), file)
		testkit.Must(t, err)
		return r[0]
	}
	for _, c := range []struct {
		status  int
		code    string
		outcome tasks.Outcome
		want    string
		text    string
	}{
		{507, "XMinioStorageFull", tasks.OutcomeError, handlers.CodeIO, "no space left"},
		{403, "AccessDenied", tasks.OutcomeFailed, handlers.CodeNotPermitted, "access is denied"},
		{503, "SlowDown", tasks.OutcomeError, handlers.CodeIO, "fewer requests"},
		{404, "NoSuchBucket", tasks.OutcomeFailed, handlers.CodeNotFound, "no such bucket"},
		{412, "PreconditionFailed", tasks.OutcomeError, handlers.CodeIO, ""},
	} {
		server.Answer(func(w http.ResponseWriter, r *http.Request) bool {
			return r.Method == http.MethodPut && storagetest.Refuse(w, c.status, c.code)
		})
		r := run()
		if c.status != 412 {
			want(t, r, c.outcome, c.want)
		}
		if r.Outcome == tasks.OutcomeSucceeded || !strings.Contains(r.Error, c.text) {
			t.Errorf("%s: %s", c.code, r.Error)
		}
		if content, there := server.Get("sub/a.txt"); there {
			t.Errorf("%s: left %q", c.code, content)
		}
	}

	// Another content arrives than was sent.
	server.Answer(func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method != http.MethodPut {
			return false
		}
		_, _ = io.Copy(io.Discard, r.Body)
		server.Put("sub/a.txt", "gamma")
		w.Header().Set("ETag", `"x"`)
		return true
	})
	want(t, run(), tasks.OutcomeError, handlers.CodeIO)
	if content, there := server.Get("sub/a.txt"); there {
		t.Errorf("left %q", content)
	}

	// Somebody puts an object there meanwhile.
	server.Answer(func(_ http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodPut {
			server.Put("sub/a.txt", "theirs")
		}
		return false
	})
	want(t, run(), tasks.OutcomeFailed, handlers.CodeDestinationExists)
	if content, _ := server.Get("sub/a.txt"); content != "theirs" {
		t.Errorf("replaced by %q", content)
	}
}
