package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"syscall"
	"time"

	"github.com/balerhq/baler/internal/sleep"
	"github.com/balerhq/baler/internal/testservers"
)

// pageServer is a 'baler serve' in a process of its own.
type pageServer struct {
	process *testservers.Process
	url     string
}

// serve starts a server of the dashboard and the API, and returns when it is ready. Nobody
// logs in, and one address may request as often as it likes.
func (s *cluster) serve(ctx context.Context) (*pageServer, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, startTime, fmt.Errorf("serve is not ready within %s", startTime))
	defer cancel()
	out, err := os.Create(s.host.path("serve.json"))
	if err != nil {
		return nil, fmt.Errorf("start serve: %w", err)
	}
	defer out.Close() // the child has its own descriptors
	log, err := os.Create(s.host.path("serve.log"))
	if err != nil {
		return nil, fmt.Errorf("start serve: %w", err)
	}
	defer log.Close()
	cmd := exec.Command(s.host.o.Program, "serve", "--json", "--log-level", "warn") //nolint:noctx // stop ends it in order
	cmd.Env = append(slices.Clip(s.env), "BALER_HTTP_LISTEN=127.0.0.1:0", "BALER_HTTP_REQUESTS_PER_SECOND=1000000")
	cmd.Stdout, cmd.Stderr = out, log
	process, err := testservers.Launch(cmd)
	if err != nil {
		return nil, err
	}
	p := &pageServer{process: process}
	if err := p.await(ctx, out.Name()); err != nil {
		p.stop()
		text, _ := os.ReadFile(log.Name()) // the error says what is known without it
		return nil, fmt.Errorf("start serve: %w: %s", withCause(ctx, err), bytes.TrimSpace(text))
	}
	return p, nil
}

// await returns when the server has written its address to a file, and is ready.
func (p *pageServer) await(ctx context.Context, file string) error {
	for ; ; _ = sleep.For(ctx, 10*time.Millisecond) {
		select {
		case <-p.process.Ended():
			return fmt.Errorf("it ended: %w", p.process.Err())
		case <-ctx.Done():
			return ctx.Err()
		default:
		}
		text, err := os.ReadFile(file)
		if err != nil {
			return fmt.Errorf("read its address: %w", err)
		}
		line, _, complete := bytes.Cut(text, []byte("\n"))
		if !complete {
			continue
		}
		var said struct {
			URL string `json:"url"`
		}
		if err := json.Unmarshal(line, &said); err != nil {
			return fmt.Errorf("read its address: %w", err)
		}
		p.url = said.URL
		client := newPageClient(p.url)
		_, err = client.get(ctx, "/readyz")
		client.close() // a connection that is kept would save the first request its time
		if err == nil {
			return nil
		}
	}
}

// stop stops the server in order, and kills it when that takes too long.
func (p *pageServer) stop() {
	_ = p.process.Signal(syscall.SIGTERM) // fails when it has ended already
	select {
	case <-p.process.Ended():
	case <-time.After(stopTime):
		p.process.Kill()
	}
}
