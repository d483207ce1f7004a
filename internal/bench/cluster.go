package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"syscall"
	"time"

	"github.com/balerhq/baler"
	"github.com/balerhq/baler/handlers/builtin"
	"github.com/balerhq/baler/internal/sleep"
	"github.com/balerhq/baler/internal/testservers"
	"github.com/balerhq/baler/tasks"
)

// cluster is Baler in an Env, with workers and producers as separate processes.
type cluster struct {
	host    *Env
	b       *baler.Baler
	env     []string
	command []string // the command that starts a worker
	workers []*worker
}

type worker struct {
	name    string
	log     string
	process *testservers.Process
}

// startTime is how long workers may take to start and finish a first file, and stopTime
// how long they may take to end.
const (
	startTime = time.Minute
	stopTime  = 15 * time.Second
)

// startCluster empties the Env and starts Baler in it with some workers. extra has
// additional variables for their environment.
func (p *Env) startCluster(ctx context.Context, workers int, extra ...string) (*cluster, error) {
	if err := p.empty(ctx); err != nil {
		return nil, err
	}
	cfg := p.o.Config
	cfg.Redis.URL, cfg.Database.URL, cfg.StateDir = p.redisURL, p.databaseURL, p.path("state")
	cfg.Worker.Queues, cfg.Roots = map[string]int{benchQueue: 1}, []string{p.dir}
	b, err := baler.Open(ctx, cfg, baler.Options{Registry: builtin.Registry(), Log: p.o.Log})
	if err != nil {
		return nil, err
	}
	s := &cluster{host: p, b: b, command: []string{"worker"}, env: slices.Concat(p.o.Env, []string{
		"BALER_REDIS_URL=" + p.redisURL, "BALER_DATABASE_URL=" + p.databaseURL, "BALER_STATE_DIR=" + p.path("state"),
		"BALER_WORKER_QUEUES=" + benchQueue + "=1", "BALER_ROOTS=" + p.dir,
	}, extra)}
	if err := s.work(ctx, workers); err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

// work starts workers and returns when they are warm.
func (s *cluster) work(ctx context.Context, n int) error {
	ctx, cancel := context.WithTimeoutCause(ctx, startTime, errors.New("the workers do not start"))
	defer cancel()
	for i := range n {
		w := &worker{name: fmt.Sprintf("bench-%d", i+1)}
		w.log = s.host.path(w.name + ".log")
		if err := s.start(w); err != nil {
			return err
		}
		s.workers = append(s.workers, w)
	}
	if n == 0 {
		return nil
	}
	if err := s.await(ctx); err != nil {
		return fmt.Errorf("%w%s", withCause(ctx, err), s.logs())
	}
	return nil
}

func (s *cluster) start(w *worker) error {
	log, err := os.Create(w.log)
	if err != nil {
		return fmt.Errorf("start worker: %w", err)
	}
	defer log.Close() // the child has its own descriptor
	args := append(slices.Clip(s.command), "--log-level", "warn")
	cmd := exec.Command(s.host.o.Program, args...) //nolint:noctx // close ends it in order
	cmd.Env = append(slices.Clip(s.env), "BALER_WORKER_NAME="+w.name)
	cmd.Stdout, cmd.Stderr = log, log
	w.process, err = testservers.Launch(cmd)
	return err
}

// await returns when every worker is registered, and a first file is finished: then a
// dispatcher is elected, and connections are open.
func (s *cluster) await(ctx context.Context) error {
	for {
		live, err := s.b.Workers(ctx)
		if err != nil {
			return err
		}
		missing := false
		for _, w := range s.workers {
			missing = missing || !slices.ContainsFunc(live, func(l tasks.Worker) bool { return l.Name == w.name })
			select {
			case <-w.process.Ended():
				return fmt.Errorf("worker %s ended: %w", w.name, w.process.Err())
			default:
			}
		}
		if !missing {
			break
		}
		if err := sleep.For(ctx, 20*time.Millisecond); err != nil {
			return err
		}
	}
	first := s.host.path("first")
	if err := touch(first, 0); err != nil {
		return fmt.Errorf("make a file: %w", err)
	}
	noop, err := s.host.recipe("noop", 1, "")
	if err != nil {
		return err
	}
	r, err := s.b.Recipe(ctx, noop)
	if err != nil {
		return err
	}
	t, _, err := s.b.Submit(ctx, baler.Submission{Paths: []string{first}, Recipe: r, Queue: benchQueue, Name: "first file"})
	if err != nil {
		return err
	}
	_, err = s.b.Wait(ctx, t.UUID, nil)
	return err
}

// pids returns the processes of the system, by kind.
func (s *cluster) pids() map[string][]int {
	pids := s.host.pids()
	for _, w := range s.workers {
		pids["worker"] = append(pids["worker"], w.process.PID())
	}
	return pids
}

// submit registers a tree with a producer, and waits for the end of the transfer.
func (s *cluster) submit(ctx context.Context, m *meter, t tree, recipe string, via tasks.Via) (tasks.Summary, error) {
	var sum tasks.Summary
	out, err := s.produce(ctx, m, "submit", "--wait", "--json", "--queue", benchQueue, "--via", string(via), "--recipe", recipe, t.root)
	if err != nil {
		return sum, err
	}
	if err := json.Unmarshal(out, &sum); err != nil {
		return sum, fmt.Errorf("submit: read its summary: %w", err)
	}
	if sum.Finished != int64(t.files) || sum.Results.Succeeded != int64(t.files) {
		return sum, fmt.Errorf("submit: %d of %d files succeeded", sum.Results.Succeeded, t.files)
	}
	return sum, nil
}

// produce runs a command that registers files, and returns its report.
func (s *cluster) produce(ctx context.Context, m *meter, args ...string) ([]byte, error) {
	var stdout, stderr bytes.Buffer
	cmd := exec.Command(s.host.o.Program, args...) //nolint:noctx // it is ended below
	cmd.Env = s.env
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	p, err := testservers.Launch(cmd)
	if err != nil {
		return nil, err
	}
	m.born("submit", p.PID())
	select {
	case <-p.Ended():
	case <-ctx.Done():
		p.Kill()
		return nil, ctx.Err()
	}
	if err := p.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w: %s%s", args[0], err, bytes.TrimSpace(stderr.Bytes()), s.logs())
	}
	return stdout.Bytes(), nil
}

// close stops the workers in order, and kills those that take too long.
func (s *cluster) close() error {
	for _, w := range s.workers {
		_ = w.process.Signal(syscall.SIGTERM) // fails when it has ended already
	}
	late := time.After(stopTime)
	for _, w := range s.workers {
		select {
		case <-w.process.Ended():
		case <-late:
			w.process.Kill()
			late = time.After(0)
		}
	}
	return s.b.Close()
}

// logs returns the logs of the workers, to append to an error.
func (s *cluster) logs() string {
	var all []byte
	for _, w := range s.workers {
		if log, err := os.ReadFile(w.log); err == nil && len(log) > 0 {
			all = fmt.Appendf(all, "\n%s: %s", w.name, bytes.TrimSpace(log[max(0, len(log)-2000):]))
		}
	}
	return string(all)
}

// recipe writes a recipe of one step and returns its path.
func (p *Env) recipe(handler string, batch int, with string) (string, error) {
	path := p.path("recipe-" + handler + "-" + strconv.Itoa(batch) + ".yaml")
	text := fmt.Sprintf("name: bench\nsteps:\n  - handler: %s\n    batch: {max_items: %d}\n", handler, batch)
	if with != "" {
		text += "    with: " + with + "\n"
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		return "", fmt.Errorf("write recipe: %w", err)
	}
	return path, nil
}

// withCause returns the cause of the end of ctx if err is its consequence, else err.
func withCause(ctx context.Context, err error) error {
	if ctx.Err() != nil && errors.Is(err, context.DeadlineExceeded) {
		return context.Cause(ctx)
	}
	return err
}
