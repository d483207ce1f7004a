package web_test

import (
	"bufio"
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/internal/web"
	"github.com/balerhq/baler/tasks"
)

// A client that waits for a transfer continues when the database is back.
func TestTheAPIWithoutADatabase(t *testing.T) {
	s := stocked(1)
	url := serve(t, web.Options{Transfers: s}) + "/v1/transfers/" + s.transfers[0].UUID
	for down, want := range map[error]int{
		&net.OpError{Op: "dial", Err: errors.New("10.0.0.7 refuses")}: http.StatusServiceUnavailable,
		errors.New("secret"): http.StatusInternalServerError,
	} {
		s.down = down
		status, header, body := get(t, url)
		if status != want || (header.Get("Retry-After") == "") != (want == http.StatusInternalServerError) {
			t.Errorf("%v: %d %v, want %d", down, status, header, want)
		}
		if strings.Contains(body, "secret") || strings.Contains(body, "10.0.0.7") || header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%v: %s of type %s", down, body, header.Get("Content-Type"))
		}
	}
}

// The answer to HEAD has no events to wait for.
func TestHeadOfEventsEnds(t *testing.T) {
	s := stocked(1)
	s.transfers[0].State = tasks.StateOpen
	url := serve(t, web.Options{Transfers: s}) + "/v1/transfers/" + s.transfers[0].UUID + "/events"
	res, err := http.Head(url)
	if err != nil {
		t.Fatal(err)
	}
	if err := res.Body.Close(); err != nil || res.StatusCode != http.StatusOK || res.Header.Get("Content-Type") != "text/event-stream" {
		t.Errorf("%s %v: %v", res.Status, res.Header, err)
	}
	http.DefaultClient.CloseIdleConnections()
}

// A server that stops does not wait for clients that watch a transfer: they connect again.
func TestStopEndsEvents(t *testing.T) {
	s := stocked(1)
	s.transfers[0].State = tasks.StateOpen
	server, err := web.New(web.Options{Transfers: s, Grace: time.Hour})
	testkit.Must(t, err)
	var lc net.ListenConfig
	ln, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	testkit.Must(t, err)
	ctx, stop := context.WithCancel(t.Context())
	stopped := make(chan error, 1)
	go func() { stopped <- server.Run(ctx, ln) }()
	res, err := http.Get("http://" + ln.Addr().String() + "/v1/transfers/" + s.transfers[0].UUID + "/events")
	testkit.Must(t, err)
	defer res.Body.Close()
	events := bufio.NewReader(res.Body)
	for line := ""; !strings.HasPrefix(line, "data: "); {
		line, err = events.ReadString('\n')
		testkit.Must(t, err)
	}
	stop()
	testkit.Must(t, <-stopped)
	http.DefaultClient.CloseIdleConnections()
}
