package cli

import (
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/balerhq/baler/internal/testkit"
)

// exists waits until a file is there with its content.
func (s *testEnv) exists(name, content string) {
	s.t.Helper()
	testkit.Eventually(s.t, 2*time.Minute, func() error {
		got, err := os.ReadFile(s.path(name))
		if err == nil && string(got) != content {
			err = errors.New(name + " has other content")
		}
		return err
	})
}

// transfers are the names of all transfers, as status shows them.
func (s *testEnv) transfers() int {
	return strings.Count(s.must(exitOK, "status", "--json").stdout, `"type":"summary"`)
}

// page reads a page of a server.
func (s *testEnv) page(path string) string {
	s.t.Helper()
	request, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, s.served()+path, http.NoBody)
	testkit.Must(s.t, err)
	answer, err := http.DefaultClient.Do(request)
	testkit.Must(s.t, err)
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	testkit.Must(s.t, err)
	return string(body)
}

func TestWatchedFilesAreSubmittedAndMoved(t *testing.T) {
	t.Parallel()
	s := newTestEnv(t)
	check := s.file("check.yaml", "name: check\nsteps:\n  - handler: validate\n")
	s.file("in/a.txt", "alpha")
	s.file("in/sub/new\nline.txt", "beta")
	s.file("in/broken.png", "\x89PNG\r\n\x1a\nno image")
	s.file("in/c.part", "gamma")
	s.file("done/a.txt", "another")
	_, _, stopWorker := s.start("worker")
	args := []string{"watch", s.path("in"), "--recipe", check, "--settle", "200ms", "--done", s.path("done"), "--failed", s.path("failed")}
	_, stderr, stop := s.start(args...)
	s.exists("done/a.2.txt", "alpha")
	s.exists("done/a.txt", "another")
	s.exists("done/sub/new\nline.txt", "beta")
	s.exists("failed/broken.png", "\x89PNG\r\n\x1a\nno image")
	s.exists("in/c.part", "gamma")
	testkit.Must(t, os.Rename(s.path("in/c.part"), s.path("in/c.txt"))) // as a browser does
	s.exists("done/c.txt", "gamma")
	testkit.Must(t, os.MkdirAll(s.path("in/later/deep"), 0o700))
	s.file("in/later/deep/d.txt", "delta")
	s.exists("done/later/deep/d.txt", "delta")
	testkit.Must(t, os.Rename(s.path("failed/broken.png"), s.path("in/broken.png"))) // it is tried again
	s.exists("failed/broken.png", "\x89PNG\r\n\x1a\nno image")
	if page := s.page("/schedules"); !strings.Contains(page, s.path("in")+"</code> <small>check, by notifications") {
		t.Errorf("the page lacks the folder:\n%s", page)
	}
	r := stop()
	equal(t, "exit code", strconv.Itoa(r.code), "0")
	contains(t, "log", stderr.String(), "each file is a transfer, once it has not changed for 200ms", "its name is hidden or temporary",
		"the transfer of an entry has ended with failures", "an entry is moved")
	if n := s.transfers(); n != 6 {
		t.Errorf("%d transfers, want 6", n)
	}
	if page := s.page("/audit"); !strings.Contains(page, `<td class="wrap path"><a href="/transfers/`) {
		t.Errorf("the audit log links no transfer:\n%s", page)
	}
	log := s.must(exitOK, "audit", "--json", "--limit", "1000").stdout
	if n := strings.Count(log, `"who":"watch of `+s.path("in")); n != 6 {
		t.Errorf("%d lines of the watch in\n%s", n, log)
	}

	// What comes while nobody watches is found.
	s.file("in/down.txt", "down")
	_, _, stop = s.start(args...)
	s.exists("done/down.txt", "down")
	stop()
	stopWorker()
}

func TestWatchedFoldersStayWithoutDone(t *testing.T) {
	t.Parallel()
	s := newTestEnv(t)
	s.services()
	s.file("in/one/a", "alpha")
	s.file("in/one/.b", "beta")
	s.file("in/two/c", "gamma")
	_, _, stopWorker := s.start("worker")
	args := []string{"watch", s.path("in"), "--recipe", "checksum", "--each", "folder", "--marker", "COMPLETE", "--poll", "100ms"}
	_, stderr, stop := s.start(args...)
	_, second, stopSecond := s.start(args...)
	submitted := func(n int) {
		t.Helper()
		testkit.Eventually(t, 2*time.Minute, func() error {
			if strings.Count(stderr.String()+second.String(), "an entry is submitted") != n {
				return errors.New(stderr.String() + second.String())
			}
			return nil
		})
	}
	testkit.Eventually(t, 2*time.Minute, func() error {
		return lacks(stderr.String()+second.String(), "this one stands by")
	})
	s.file("in/one/COMPLETE", "")
	submitted(1)
	sum := s.must(exitOK, "status", "--json", "--watch", "latest").summary(t)
	if sum.Files != 1 || sum.Finished != 1 {
		t.Errorf("%+v, want the file that is neither hidden nor the marker", sum)
	}
	s.file("in/one/a", "alpha, written again")
	submitted(2)
	s.must(exitOK, "status", "--watch", "latest")
	stop() // the other takes over
	s.file("in/two/COMPLETE", "")
	submitted(3)
	stopSecond()
	_, third, stopThird := s.start(args...)
	testkit.Eventually(t, 2*time.Minute, func() error { return lacks(third.String(), "watching a folder") })
	s.file("in/three/d", "delta")
	s.file("in/three/COMPLETE", "")
	testkit.Eventually(t, 2*time.Minute, func() error { return lacks(third.String(), "an entry is submitted") })
	stopThird()
	if n := s.transfers(); n != 4 {
		t.Errorf("%d transfers, want 4: nothing is submitted again", n)
	}
	stopWorker()
}

func TestAWatchedFolderMayGoAway(t *testing.T) {
	t.Parallel()
	s := newTestEnv(t)
	s.file("in/a.txt", "alpha")
	_, stderr, stop := s.start("watch", s.path("in"), "--settle", "50ms", "--poll", "50ms")
	submitted := func(n int) {
		t.Helper()
		testkit.Eventually(t, time.Minute, func() error {
			if strings.Count(stderr.String(), "an entry is submitted") != n {
				return errors.New(stderr.String())
			}
			return nil
		})
	}
	submitted(1)
	testkit.Must(t, os.Rename(s.path("in"), s.path("away")))
	testkit.Eventually(t, time.Minute, func() error { return lacks(stderr.String(), "the watched folder cannot be read;") })
	testkit.Must(t, os.Rename(s.path("away"), s.path("in")))
	testkit.Eventually(t, time.Minute, func() error { return lacks(stderr.String(), "can be read again") })
	s.file("in/b.txt", "beta")
	submitted(2)
	stop()
	if n := s.transfers(); n != 2 {
		t.Errorf("%d transfers, want 2", n)
	}
}

func TestWatchRefuses(t *testing.T) {
	t.Parallel()
	s := newTestEnv(t)
	s.file("in/a.txt", "alpha")
	s.file("elsewhere/b.txt", "beta")
	for _, c := range []struct {
		code       int
		args, want string
	}{
		{exitUsage, "watch", "accepts 1 arg(s), received 0"},
		{exitError, "watch " + s.path("none"), "no such file or directory"},
		{exitError, "watch " + s.path("in/a.txt"), "is no folder"},
		{exitError, "watch " + s.path("in") + " --each line", `"line" is no kind of entry; give file or folder`},
		{exitError, "watch " + s.path("in") + " --done " + s.path("in"), "what is moved there would be found again"},
		{exitError, "watch " + s.path("in") + " --recipe fixity", "compares files with earlier transfers"},
		{exitError, "watch " + s.path("in") + " --recipe nope", "nope"},
		{exitError, "watch " + s.path("in") + " --roots " + s.path("elsewhere"), "lies outside of the folders"},
		{exitUsage, "watch " + s.path("in") + " --settle soon", "invalid"},
		{exitUsage, "watch " + s.path("in") + " --server http://127.0.0.1:1", "watch does not work through a server"},
	} {
		contains(t, c.args, s.must(c.code, strings.Fields(c.args)...).stderr, c.want)
	}
	if left, err := filepath.Glob(s.path("in/.*")); err != nil || len(left) > 0 {
		t.Errorf("trials are left: %v, %v", left, err)
	}
}
