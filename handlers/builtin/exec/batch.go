package exec

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/tasks"
)

// argumentBytes is how long the arguments of one command may be together; longer lists are
// split. Every system allows as much, beside a large environment.
const argumentBytes = 128 << 10

// sharedOutput is how much of the output of a command for several files each of them keeps.
const sharedOutput = 4 << 10

// runBatch runs the command for files with equal arguments, in as few runs as the length of
// the arguments allows. An error is that of ctx.
func runBatch(ctx context.Context, jobs []*handlers.Job) error {
	var open []*handlers.Job
	for _, job := range jobs {
		f, err := job.Open()
		if err != nil {
			job.Finish(err)
			continue
		}
		_ = f.Close() // it was only tried
		if s, err := parse(job.Args()); err == nil && s.Paths == pathsList && strings.ContainsRune(job.File().Path, '\n') {
			job.Finish(handlers.Fail(handlers.CodeBadArgs, errors.New(
				"this path has a line end, which a list of paths cannot hold: use paths: stdin or arguments")))
			continue
		}
		open = append(open, job)
	}
	for len(open) > 0 {
		n := min(fitting(open), fittingCopies(open))
		jobs, done := copyLocally(ctx, open[:n])
		err := ctx.Err()
		if err == nil && len(jobs) > 0 {
			err = runGroup(ctx, jobs)
		}
		done()
		if err != nil {
			return err
		}
		open = open[n:]
	}
	return nil
}

// fitting is how many of the jobs have paths that fit into one command, at least one.
func fitting(jobs []*handlers.Job) int {
	s, err := parse(jobs[0].Args())
	if err != nil || s.Paths == pathsStdin || s.Paths == pathsList {
		return len(jobs)
	}
	bytes := 0
	for i, job := range jobs {
		bytes += len(job.File().Path) + 9 // its end and its pointer
		if tasks.IsObject(job.File().Path) {
			bytes += len(os.TempDir()) // and more, but far fewer than there is room for
		}
		if bytes > argumentBytes && i > 0 {
			return i
		}
	}
	return len(jobs)
}

// fittingCopies is how many of the jobs have objects that may be copied to this host together, at
// least one.
func fittingCopies(jobs []*handlers.Job) int {
	var bytes int64
	for i, job := range jobs {
		if tasks.IsObject(job.File().Path) {
			bytes += job.File().Size
		}
		if bytes > job.MaxCopy() && i > 0 {
			return i
		}
	}
	return len(jobs)
}

// copyLocally copies the objects among the files of jobs. It ends jobs whose object cannot be
// copied, and returns the others.
func copyLocally(ctx context.Context, jobs []*handlers.Job) (copied []*handlers.Job, done func()) {
	var removes []func()
	for _, job := range jobs {
		if tasks.IsObject(job.File().Path) {
			remove, err := job.CopyLocally(ctx)
			if err != nil {
				if ctx.Err() == nil {
					job.Finish(err)
				}
				continue
			}
			removes = append(removes, remove)
		}
		copied = append(copied, job)
	}
	return copied, func() {
		for _, remove := range removes {
			remove()
		}
	}
}

// runGroup runs the command once. When it fails for several files, each half is run again,
// until the file that is the reason is alone: the others get what they deserve.
func runGroup(ctx context.Context, jobs []*handlers.Job) error {
	timed, cancel := withinTime(ctx, jobs)
	defer cancel()
	for _, job := range jobs {
		job.Start()
	}
	stdout, stderr := &head{limit: maxFactOutput}, &head{limit: handlers.DefaultMaxOutput}
	s, e, err := runPaths(timed, jobs, stdout, stderr)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if timed.Err() != nil {
		e, err = ending{1, tasks.OutcomeTimedOut, handlers.CodeTimeout, "this file took longer than its time limit"}, nil
	}
	if len(jobs) > 1 && (err == nil && e.outcome.StopsRecipe() || errors.Is(err, syscall.E2BIG)) {
		middle := len(jobs) / 2
		if err := runGroup(ctx, jobs[:middle]); err != nil {
			return err
		}
		return runGroup(ctx, jobs[middle:])
	}
	conclude(s, jobs, e, err, stdout, stderr)
	return nil
}

// withinTime limits a run to the time limits of all its files together.
func withinTime(ctx context.Context, jobs []*handlers.Job) (context.Context, context.CancelFunc) {
	var sum time.Duration
	for _, job := range jobs {
		if job.Timeout() == 0 {
			return context.WithCancel(ctx)
		}
		sum += job.Timeout()
	}
	return context.WithTimeout(ctx, sum)
}

// runPaths hands the paths of the jobs to one run of the command.
func runPaths(ctx context.Context, jobs []*handlers.Job, stdout, stderr *head) (s *spec, e ending, err error) {
	if s, err = parse(jobs[0].Args()); err != nil {
		return s, e, err
	}
	p, err := newProcess(s, jobs[0])
	if err != nil {
		return s, e, err
	}
	defer p.cleanup()
	paths := make([]string, len(jobs))
	for i, job := range jobs {
		paths[i] = job.LocalPath()
	}
	switch s.Paths {
	case pathsStdin:
		p.program.Stdin = strings.NewReader(strings.Join(paths, "\x00") + "\x00")
		paths = nil
	case pathsList:
		list, err := writeList(paths)
		if err != nil {
			return s, e, err
		}
		defer func() { _ = os.Remove(list) }() // the system tidies its temporary folder
		paths = []string{list}
	}
	p.program.Args = insert(p.program.Args, paths)
	e, err = p.run(ctx, stdout, stderr)
	return s, e, err
}

// insert puts paths where the place for them is, else behind.
func insert(args, paths []string) []string {
	all := make([]string, 0, len(args)+len(paths))
	found := false
	for _, arg := range args {
		if arg == place {
			all, found = append(all, paths...), true
			continue
		}
		all = append(all, arg)
	}
	if !found {
		all = append(all, paths...)
	}
	return all
}

// writeList writes a path a line into a temporary file.
func writeList(paths []string) (_ string, err error) {
	var text strings.Builder
	for _, path := range paths {
		text.WriteString(path + "\n")
	}
	f, err := os.CreateTemp("", "baler-paths-*")
	if err != nil {
		return "", handlers.RetryLater(handlers.CodeIO, err)
	}
	_, err = f.WriteString(text.String())
	if err = errors.Join(err, f.Close()); err != nil {
		_ = os.Remove(f.Name())
		return "", handlers.RetryLater(handlers.CodeIO, fmt.Errorf("write the list of paths: %w", err))
	}
	return f.Name(), nil
}

// conclude ends the jobs of one run.
func conclude(s *spec, jobs []*handlers.Job, e ending, err error, stdout, stderr *head) {
	var perFile map[string]any
	if err == nil && s.facts != nil && !e.outcome.StopsRecipe() {
		perFile, err = s.facts.byFile(stdout)
	}
	for _, job := range jobs {
		job.WriteOutput(stdout.shareOf(len(jobs)))
		job.WriteError(stderr.shareOf(len(jobs)))
		switch {
		case err != nil:
			job.Finish(startVerdict(job, err))
		case perFile != nil:
			job.Finish(s.facts.recordFile(job, perFile, e))
		default:
			job.Finish(e.verdict(job))
		}
	}
}

// shareOf is what each of n files keeps of the output of one run.
func (h *head) shareOf(n int) []byte {
	if n == 1 {
		return h.text
	}
	return h.text[:min(len(h.text), sharedOutput)]
}

// byFile reads what the command wrote for each file.
func (f *facts) byFile(output *head) (map[string]any, error) {
	if output.cut {
		return nil, badFacts(fmt.Errorf("the output is longer than %d bytes, from which facts are taken: make the batches smaller",
			maxFactOutput))
	}
	values, err := jsonValues(bytes.TrimSpace(output.text))
	if err != nil {
		return nil, err
	}
	found := make(map[string]any, len(values))
	for _, v := range values {
		if path, ok := member(v, f.file); ok {
			if path, ok := path.(string); ok {
				found[path] = v
			}
		}
	}
	return found, nil
}

// recordFile ends one job of a batch with the facts that the command gave for it.
func (f *facts) recordFile(job *handlers.Job, found map[string]any, e ending) error {
	v, ok := found[job.LocalPath()]
	if !ok {
		return handlers.RetryLater(CodeNoFacts, fmt.Errorf("the output names no such file as its %q", f.file))
	}
	if err := f.recordMembers(job, v); err != nil {
		return err
	}
	return e.verdict(job)
}
