package outage

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// journal is a log without times, line by line.
type journal struct{ bytes.Buffer }

func (j *journal) logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(j, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}}))
}

func (j *journal) expect(t *testing.T, want ...string) {
	t.Helper()
	got := strings.TrimSpace(j.String())
	if got != strings.Join(want, "\n") {
		t.Errorf("the log:\n%s\nwant:\n%s", got, strings.Join(want, "\n"))
	}
	j.Reset()
}

func TestOneOutageOfManyLoops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := t.Context()
		var j journal
		log := Share(j.logger())
		record, beat := New(log, Database, "record results"), New(log.With(), Database, "send a heartbeat")
		away := errors.New("refused")
		for range 70 { // 70 seconds
			_ = record.Failed(ctx, away)
			_ = beat.Failed(ctx, away)
			time.Sleep(time.Second)
		}
		j.expect(t,
			`level=WARN msg="the database fails; Baler retries until it works again" doing="record results" error=refused`,
			`level=WARN msg="the database still fails" for=1m0s failures=121 doing="record results" error=refused`)
		beat.Answered(ctx)
		j.expect(t, "") // another use still fails
		if !errors.Is(Failing(log, Database), away) || Failing(log, Redis) != nil {
			t.Errorf("failing: %v, %v", Failing(log, Database), Failing(log, Redis))
		}
		record.Answered(ctx)
		if err := Failing(log, Database); err != nil {
			t.Errorf("it works, and fails with %v", err)
		}
		record.Answered(ctx)
		j.expect(t, `level=WARN msg="the database works again" after=1m10s failures=140`)
		_ = New(log, Redis, "enqueue").Failed(ctx, away)
		j.expect(t, `level=WARN msg="Redis fails; Baler retries until it works again" doing=enqueue error=refused`)
	})
}

// A use that is not tried any more does not keep an outage open.
func TestForgottenUse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := t.Context()
		var j journal
		log := Share(j.logger())
		queue, ping := NewPassive(log, Redis, "asynq"), New(log, Redis, "ping")
		_ = queue.Failed(ctx, errors.New("out of memory"))
		ping.Answered(ctx)
		time.Sleep(11 * time.Second)
		j.Reset()
		ping.Answered(ctx)
		j.expect(t, `level=WARN msg="Redis works again" after=11s failures=1`)
	})
}

// The producer reports Redis. The dispatcher, whose round failed because of that, does not
// report the database.
func TestAnErrorIsToldOnce(t *testing.T) {
	ctx := t.Context()
	var j journal
	log := Share(j.logger())
	err := fmt.Errorf("send batches: %w", New(log, Redis, "enqueue").Failed(ctx, errors.New("refused")))
	j.Reset()
	if got := New(log, Database, "dispatch").Failed(ctx, err); !errors.Is(got, err) || !Told(got) || Level(got) != slog.LevelDebug {
		t.Errorf("got %v", got)
	}
	if Told(errors.New("refused")) || Level(errors.New("refused")) != slog.LevelWarn {
		t.Error("an error that was not reported counts as reported")
	}
	j.expect(t, "")
	var none *Watch
	none.Answered(ctx)
	_ = none.Failed(ctx, err)
}
