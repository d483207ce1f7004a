package cli

import (
	"net/http"
	"strings"
	"testing"

	"github.com/balerhq/baler/internal/testkit/storagetest"
)

func TestRunOverObjects(t *testing.T) {
	t.Parallel()
	s, server := newTestEnv(t), storagetest.New(t)
	server.Put("p/a.txt", "alpha")
	server.Put("p/sub/ü b.txt", "beta")
	server.Put("p/x//..", "gamma")
	server.Put("p/folder/", "")
	server.Put("q/other.txt", "delta")
	ran := s.must(exitOK, "run", "--json", server.Address("p"))
	first := ran.summary(t)
	equal(t, "files", paths(t, s.must(exitOK, "results", "--json", "--step", "identify", first.Transfer)),
		"s3://films/p/a.txt s3://films/p/sub/ü b.txt s3://films/p/x//..")
	text := s.must(exitOK, "results", "--json", first.Transfer).stdout
	for _, want := range []string{"8ed3f6ad685b959ead7022518e1af76cd816f8e8ec7ccdda1ed4018e8f2223f8", `"puid":"x-fmt/111"`} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s in %s", want, text)
		}
	}
	if strings.Contains(text+ran.stdout+ran.stderr+s.must(exitOK, "status", "--json").stdout, "endpoint") {
		t.Error("the parameters of the address are kept")
	}

	again := s.must(exitOK, "run", server.Address("p"))
	if !strings.Contains(again.stdout, "No changes since") {
		t.Errorf("%s", again.stdout)
	}
	server.Remove("p/a.txt")
	server.Put("p/new.txt", "new")
	if again := s.must(exitOK, "run", server.Address("p")); !strings.Contains(again.stdout, "1 added, 0 changed, 1 gone") {
		t.Errorf("%s", again.stdout)
	}

	// A source that was emptied is no source of no files.
	for _, key := range []string{"p/new.txt", "p/sub/ü b.txt", "p/x//..", "p/folder/"} {
		server.Remove(key)
	}
	if r := s.must(exitError, "run", "--missing-ok", server.Address("p")); !strings.Contains(r.stderr, "--allow-empty") {
		t.Errorf("%s", r.stderr)
	}
	s.must(exitOK, "run", "--missing-ok", "--allow-empty", server.Address("p"))
}

func TestObjectsThatAreRefused(t *testing.T) {
	t.Parallel()
	s, server := newTestEnv(t), storagetest.New(t)
	server.Put("p/a.txt", "alpha")
	nowhere := strings.Replace(server.Address(""), "films", "nowhere", 1)
	for address, want := range map[string]string{
		nowhere:                        "s3://nowhere: list s3://nowhere: there is no such bucket",
		server.Address("gone"):         `there is no object "gone", and none below it`,
		"s3://AKIA:hush@films/p":       "no user and password",
		"s3://films/p?X-Amz-Sig=hush1": "no parameter",
	} {
		for _, command := range []string{"run", "submit"} {
			r := s.must(exitError, command, address)
			if !strings.Contains(r.stderr, want) || strings.Contains(r.stderr, "hush") || strings.Contains(r.stderr, "endpoint=") {
				t.Errorf("%s %s: %s", command, address, r.stderr)
			}
		}
	}
	server.Answer(func(w http.ResponseWriter, _ *http.Request) bool { return storagetest.Refuse(w, 403, "AccessDenied") })
	if r := s.must(exitError, "run", server.Address("p")); !strings.Contains(r.stderr, "access is denied") {
		t.Errorf("%s", r.stderr)
	}
	if r := s.must(exitOK, "status", "--json"); r.stdout != "" {
		t.Errorf("a transfer was made: %s", r.stdout)
	}
	r := s.must(exitError, "doctor", "--roots", "s3://AKIA:hush@films")
	if strings.Contains(r.stderr+r.stdout, "hush") {
		t.Errorf("%s", r.stderr)
	}
}

func TestDryRunOverObjects(t *testing.T) {
	t.Parallel()
	s, server := newTestEnv(t), storagetest.New(t)
	for _, key := range []string{"p/a.jpg", "p/cache/b.jpg", "p/c.tmp", "p/d.jpg"} {
		server.Put(key, "12345")
	}
	r := s.must(exitOK, "submit", "--dry-run", "--include", "*.jpg", "--exclude", "cache/", server.Address("p"))
	if !strings.HasPrefix(r.stdout, "2 files would be registered, 10 B.") {
		t.Errorf("%s", r.stdout)
	}
}

// Two versions may have one size, and one time to the second.
func TestObjectWithAnotherVersion(t *testing.T) {
	t.Parallel()
	s, server := newTestEnv(t), storagetest.New(t)
	server.Put("p/a.txt", "alpha")
	server.Put("p/b.txt", "beta")
	s.must(exitOK, "run", server.Address("p"))
	server.Put("p/a.txt", "gamma")
	server.Put("p/b.txt", "beta") // the same again
	if r := s.must(exitOK, "run", server.Address("p")); !strings.Contains(r.stdout, "0 added, 1 changed, 0 gone, 1 unchanged") {
		t.Errorf("%s", r.stdout)
	}
}

func TestFixityOfObjects(t *testing.T) {
	t.Parallel()
	s, server := newTestEnv(t), storagetest.New(t)
	for _, key := range []string{"p/changed", "p/gone", "p/same"} {
		server.Put(key, "alpha")
	}
	s.must(exitOK, "run", "--recipe", "fixity", server.Address("p"))
	server.Put("p/changed", "gamma")
	server.Put("p/same", "alpha")
	server.Remove("p/gone")
	server.Put("p/new", "delta")
	r := s.must(exitFailures, "run", "--recipe", "fixity", server.Address("p"))
	for _, want := range []string{"1 new", "1 changed", "0 damaged", "1 missing", "1 unchanged"} {
		if !strings.Contains(r.stdout, want) {
			t.Errorf("no %q in %s", want, r.stdout)
		}
	}
	if d := s.must(exitFailures, "diff", "1", "2"); !strings.Contains(d.stdout, "changed") || strings.Contains(d.stdout, "damaged  ") {
		t.Errorf("%s", d.stdout)
	}
}

func TestRunCopiesIntoObjectStorage(t *testing.T) {
	t.Parallel()
	s, server := newTestEnv(t), storagetest.New(t)
	s.file("in/a.txt", "alpha")
	s.file("in/sub/b.txt", "beta")
	server.Put("other/sub/b.txt", "of another")
	s.env = append(s.env, "BALER_OUTPUTS="+server.Address("")+":"+s.path("out"))
	recipe := s.file("copy.yaml", "name: to-store\nsteps:\n  - handler: checksum\n  - handler: copy\n    with: {to: s3://films/copies}\n")
	s.must(exitOK, "run", "--recipe", recipe, s.path("in"))
	if content, _ := server.Get("copies/sub/b.txt"); content != "beta" {
		t.Errorf("%q", content)
	}
	other := s.file("other.yaml", "name: to-other\nsteps:\n  - handler: copy\n    with: {to: s3://films/other}\n")
	r := s.must(exitFailures, "run", "--recipe", other, s.path("in"))
	contains(t, "report", r.stdout, "destination-exists")
	if content, _ := server.Get("other/sub/b.txt"); content != "of another" {
		t.Errorf("replaced by %q", content)
	}
	bag := s.file("bag.yaml", "name: bag\nsteps:\n  - handler: checksum\nfinally:\n  - handler: bag\n    with: {to: s3://films/bag}\n")
	if r := s.do("run", "--recipe", bag, s.path("in")); r.code == exitOK || !strings.Contains(r.stdout+r.stderr, "object storage") {
		t.Errorf("a bag goes nowhere: %d, %s, %s", r.code, r.stdout, r.stderr)
	}
}

// A result is taken over for the same version only.
func TestReuseForObjects(t *testing.T) {
	t.Parallel()
	s, server := newTestEnv(t), storagetest.New(t)
	server.Put("p/a.txt", "alpha")
	recipe := s.file("reuse.yaml", "name: reuse\nsteps:\n  - handler: checksum\n    reuse: unchanged\n")
	s.must(exitOK, "run", "--recipe", recipe, server.Address("p"))
	server.Put("p/a.txt", "gamma")
	s.must(exitOK, "run", "--recipe", recipe, server.Address("p/a.txt"))
	if text := s.must(exitOK, "results", "--json", "latest").stdout; strings.Contains(text, "8ed3f6ad685b959e") {
		t.Errorf("the result of another version was taken over: %s", text)
	}
}
