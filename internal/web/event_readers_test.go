package web_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/balerhq/baler/internal/openfiles"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/internal/web"
	"github.com/balerhq/baler/tasks"
)

// readers is how many clients watch one transfer at a time.
const readers = 1000

// growing is a store with one transfer that a test changes, and that counts how often it is read.
type growing struct {
	*shelf

	mutex sync.Mutex
	reads atomic.Int64
}

func (g *growing) Transfer(ctx context.Context, uuid string) (tasks.Transfer, error) {
	g.reads.Add(1)
	g.mutex.Lock()
	defer g.mutex.Unlock()
	return g.shelf.Transfer(ctx, uuid)
}

func (g *growing) set(finished int64, state tasks.State) {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	g.transfers[0].Finished, g.transfers[0].State = finished, state
}

// watcher is a client that watches a transfer.
type watcher struct {
	conn   net.Conn
	lines  *bufio.Reader
	status string
	last   string // the id of its last event
}

// watchFrom connects, and reads the header of the answer.
func watchFrom(addr, id, last string) (*watcher, error) {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	r := &watcher{conn: conn, lines: bufio.NewReaderSize(conn, 2048), last: last}
	if err := conn.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		return nil, err
	}
	if _, err := fmt.Fprintf(conn, "GET /v1/transfers/%s/events HTTP/1.1\r\nHost: localhost\r\nLast-Event-ID: %s\r\n\r\n", id, last); err != nil {
		return nil, err
	}
	r.status, err = r.lines.ReadString('\n')
	return r, err
}

// event reads the next event, and returns its name.
func (r *watcher) event() (name string, err error) {
	for {
		line, err := r.lines.ReadString('\n')
		if err != nil {
			return "", err
		}
		key, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
		switch key {
		case "event":
			name = value
		case "id":
			r.last = value
		case "data":
			return name, nil
		}
	}
}

// A thousand clients watch one transfer: each gets every change, also after it has connected again, and
// they cost the database one read a second. One more is asked to come back.
func TestAThousandReadersWatchATransfer(t *testing.T) {
	if files := openfiles.Limit(); files < 3*readers {
		t.Skipf("this process may open %d files; the test needs %d", files, 3*readers)
	}
	store := &growing{shelf: stocked(1)}
	store.set(1, tasks.StateRunning)
	id := store.transfers[0].UUID
	server, err := web.New(web.Options{Transfers: store, MaxConnections: 2 * readers})
	testkit.Must(t, err)
	ln, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	testkit.Must(t, err)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- server.Run(ctx, ln) }()
	defer func() {
		stop()
		testkit.Must(t, <-ended)
	}()
	all := make([]*watcher, readers)
	each := func(do func(i int) error) {
		t.Helper()
		var group sync.WaitGroup
		for i := range all {
			group.Go(func() {
				if err := do(i); err != nil {
					t.Errorf("reader %d: %v", i, err)
				}
			})
		}
		group.Wait()
		if t.Failed() {
			t.FailNow()
		}
	}
	connect := func(i int) (err error) {
		last := ""
		if all[i] != nil {
			last = all[i].last
		}
		if all[i], err = watchFrom(ln.Addr().String(), id, last); err == nil && !strings.Contains(all[i].status, "200") {
			err = fmt.Errorf("the answer is %s", all[i].status)
		}
		return err
	}
	next := func(want string) func(i int) error {
		return func(i int) error {
			before := all[i].last
			name, err := all[i].event()
			if err == nil && (name != want || all[i].last == before) {
				err = fmt.Errorf("event %s %s after %s, want a new %s", name, all[i].last, before, want)
			}
			return err
		}
	}
	var before, during runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	each(connect)
	each(next("summary"))

	if goroutines := runtime.NumGoroutine(); goroutines > 3*readers {
		t.Errorf("%d goroutines for %d readers", goroutines, readers)
	}
	runtime.GC()
	runtime.ReadMemStats(&during)
	used := int64(during.HeapInuse+during.StackInuse) - int64(before.HeapInuse+before.StackInuse)
	if used > readers*128<<10 {
		t.Errorf("%d bytes for each reader and its client", used/readers)
	}

	refused, err := watchFrom(ln.Addr().String(), id, "")
	testkit.Must(t, err)
	rest := make([]byte, 1000)
	n, err := io.ReadAtLeast(refused.lines, rest, 400)
	testkit.Must(t, err)
	if text := string(rest[:n]); !strings.Contains(refused.status, "503") || !strings.Contains(text, "Retry-After: 5") || !strings.Contains(text, "Too many clients watch") {
		t.Errorf("one more gets %s%s", refused.status, text)
	}
	testkit.Must(t, refused.conn.Close())
	answer, err := http.Get("http://" + ln.Addr().String() + "/healthz")
	testkit.Must(t, err)
	testkit.Must(t, answer.Body.Close())
	if answer.StatusCode != http.StatusOK {
		t.Errorf("beside them a probe gets %s", answer.Status)
	}

	began, reads := time.Now(), store.reads.Load()
	store.set(2, tasks.StateRunning)
	each(next("summary"))
	if most, got := int64(time.Since(began)/time.Second)+2, store.reads.Load()-reads; got > most {
		t.Errorf("the database was read %d times, want at most %d", got, most)
	}

	each(func(i int) error { return all[i].conn.Close() })
	each(connect)
	store.set(3, tasks.StateRunning) // they had the second event, and do not get it again
	each(next("summary"))
	store.set(3, tasks.StateCompleted)
	each(next("end"))
	each(func(i int) error {
		rest, err := all[i].lines.ReadString('0') // the stream ends: the last chunk has no content
		if err != nil || strings.TrimSpace(rest) != "0" {
			return fmt.Errorf("after the end comes %q, %w", rest, err)
		}
		return all[i].conn.Close()
	})
}

// A client that watches and does not read is disconnected, and the others get their events.
func TestAReaderThatDoesNotReadIsDisconnected(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &growing{shelf: stocked(1)}
		store.set(1, tasks.StateRunning)
		p := runningOn(t, store, web.Options{})
		connect := func() net.Conn {
			client := p.connect()
			go func() {
				_, _ = io.WriteString(client, "GET /v1/transfers/"+store.transfers[0].UUID+"/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
			}()
			return client
		}
		slow, quick := connect(), connect()
		one := &watcher{conn: quick, lines: bufio.NewReader(quick)}
		begin, got := time.Now(), 0
		for ; time.Since(begin) < 11*time.Second; got++ { // the transfer changes after each event
			if name, err := one.event(); err != nil || name != "summary" {
				t.Fatalf("%s, %v", name, err)
			}
			store.set(int64(got+2), tasks.StateRunning)
		}
		if got < 10 {
			t.Errorf("in 11 seconds the others got %d events", got)
		}
		synctest.Wait()
		head, err := io.ReadAll(slow) // it was disconnected, so this ends
		if strings.Contains(string(head), "event: summary") {
			t.Errorf("after 11 seconds it still gets %s, %v", head, err)
		}
		slow.Close()
		quick.Close()
	})
}
