package cli

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/hibiken/asynq"

	"github.com/balerhq/baler/internal/testkit"
)

func TestDelete(t *testing.T) {
	t.Parallel()
	s := newTestEnv(t)
	in := s.path("in")
	s.file("in/a.txt", "alpha")
	waiting := strings.TrimSpace(s.must(exitOK, "submit", in).stdout)
	equal(t, "a transfer that waits", s.stable(s.must(exitError, "delete", waiting).stderr),
		"error: transfer ID is running: cancel it first ('baler cancel ID'), or use --force\n")
	equal(t, "by force", s.stable(s.must(exitOK, "delete", "--force", waiting).stdout), "Transfer ID with 1 file is deleted.\n")

	id := s.must(exitOK, "run", "--json", in).summary(t).Transfer
	equal(t, "in JSON", s.stable(s.must(exitOK, "delete", "--json", id).stdout), `{"type":"deleted","transfer":"ID","files":1}`+"\n")
	for _, args := range []string{"status", "results", "retry", "cancel", "pause", "resume", "delete"} {
		r := s.must(exitError, args, id)
		contains(t, args, r.stderr, "error: transfer "+id+" was deleted at 20")
	}
	if strings.Contains(s.must(exitOK, "status").stdout, id) {
		t.Error("status lists a deleted transfer")
	}
	if n := s.must(exitOK, "run", "--json", in).summary(t).Results.Succeeded; n == 0 {
		t.Error("a run after the deletion does not process the file again")
	}

	stdout, _, stop := s.start("serve", "--listen", "127.0.0.1:0")
	testkit.Eventually(t, time.Minute, func() error { return lacks(stdout.String(), "\n") })
	status, body, err := fetch(strings.TrimSpace(stdout.String()) + "/v1/transfers/" + id)
	testkit.Must(t, err)
	if status != http.StatusGone || !strings.Contains(body, "was deleted at 20") {
		t.Errorf("the API answers %d %s", status, body)
	}
	stop()
}

func TestPrune(t *testing.T) {
	t.Parallel()
	s := newTestEnv(t)
	in := s.path("in")
	s.file("in/a.txt", "alpha")
	old := s.must(exitOK, "run", "--json", in).summary(t).Transfer
	s.file("in/a.txt", "alphabet") // else its result there would be kept for the collection
	latest := s.must(exitOK, "run", "--json", in).summary(t).Transfer
	contains(t, "without an age", s.must(exitUsage, "prune").stderr, "error: --older-than is required, such as --older-than 90d")
	for _, age := range []string{"-1d", "-1ns", "-0.5d"} {
		for _, command := range [][]string{{"prune"}, {"reuse", "forget"}} {
			refused := s.must(exitUsage, append(command, "--older-than="+age)...)
			contains(t, "an age that is to come", refused.stderr, "an age is not below 0; write it as 90d, 36h or 30m")
		}
	}
	equal(t, "none", s.must(exitOK, "prune", "--older-than", "90d").stdout, "Deleted 0 transfers with 0 files.\n")
	equal(t, "keep", s.must(exitOK, "prune", "--older-than", "0s", "--keep-last", "2").stdout, "Deleted 0 transfers with 0 files.\n")
	equal(t, "dry", s.must(exitOK, "prune", "--older-than", "0s", "--dry-run", "--json").stdout,
		fmt.Sprintf(`{"type":"would_delete","transfer":%q,"files":1}`+"\n", old))
	equal(t, "prune", s.stable(s.must(exitOK, "prune", "--older-than", "0s").stdout), "ID  ended TIME  1 file\nDeleted 1 transfer with 1 file.\n")
	s.must(exitError, "status", old)
	s.must(exitOK, "status", latest) // the next run looks at it
	contains(t, "the next run", s.must(exitOK, "run", in).stderr+s.must(exitOK, "run", in).stdout, "transfer "+s.number(latest)+" ")

	// A worker does the same by itself.
	s.file("in/a.txt", "alphabetical")
	s.must(exitOK, "run", in)
	s.env = append(s.env, "BALER_RETENTION_OLDER_THAN=1ms")
	_, stderr, stop := s.start("worker")
	testkit.Eventually(t, time.Minute, func() error { return lacks(stderr.String(), `msg="retention: transfer deleted" transfer=`+latest) })
	stop()
}

func TestDeadLetters(t *testing.T) {
	t.Parallel()
	s := newTestEnv(t)
	s.services()
	equal(t, "none", s.must(exitOK, "deadletters").stdout, "There are no dead letters.\n")
	_, _, stop := s.start("worker")
	defer stop()
	opt, err := asynq.ParseRedisURI(s.setting("BALER_REDIS_URL"))
	testkit.Must(t, err)
	client := asynq.NewClient(opt)
	testkit.CloseAtEnd(t, client)
	for range 2 {
		_, err = client.EnqueueContext(t.Context(), asynq.NewTask("email", []byte("dear \x1b[1m reader")))
		testkit.Must(t, err)
	}
	testkit.Eventually(t, time.Minute, func() error { return lacks(s.must(exitOK, "deadletters").stdout, "\n 1  ") })
	contains(t, "show", s.must(exitOK, "deadletters", "show", "1").stdout, "Dead letter 1, received 20", "Type:    email\n", `Content: dear \x1b[1m reader`)
	contains(t, "in JSON", s.must(exitOK, "deadletters", "show", "1", "--json").stdout,
		`{"type":"dead_letter","id":1,`, `"message_type":"email","bytes":16,`, `"payload":"ZGVhciAbWzFtIHJlYWRlcg=="`)
	equal(t, "requeue", s.must(exitOK, "deadletters", "requeue", "1").stdout, "Dead letter 1 is requeued.\n")
	contains(t, "it is gone", s.must(exitError, "deadletters", "show", "1").stderr, "error: no such dead letter: 1")
	testkit.Eventually(t, time.Minute, func() error { return lacks(s.must(exitOK, "deadletters").stdout, "\n 3  ") }) // it still cannot be read
	equal(t, "discard", s.must(exitOK, "deadletters", "discard", "--all", "--json").stdout,
		`{"type":"discarded","id":3}`+"\n"+`{"type":"discarded","id":2}`+"\n")
	contains(t, "no number", s.must(exitUsage, "deadletters", "discard", "x").stderr, `"x" is not the number of a dead letter`)
	s.must(exitUsage, "deadletters", "discard")
}
