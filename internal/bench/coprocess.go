package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/handlers/builtin/coprocess"
	"github.com/balerhq/baler/handlers/builtin/exec"
	"github.com/balerhq/baler/tasks"
)

// CoprocessOptions configure Coprocess.
type CoprocessOptions struct {
	Files int
	Batch int                           // files in a batch
	Say   func(format string, a ...any) // says how far it is; may be nil
}

// The ways of Coprocess.
const (
	VariantProcess   Variant = "process"   // a process a file, by exec
	VariantCoprocess Variant = "coprocess" // one process for all files
)

// ScriptMeasurement is one measurement of Coprocess. It is a line of the JSON output.
type ScriptMeasurement struct {
	Type           string  `json:"type"` // always "measurement"
	Variant        Variant `json:"variant"`
	Files          int     `json:"files"` // those that were finished when it was cut short
	Batch          int     `json:"batch"`
	Seconds        float64 `json:"seconds"`
	FilesPerSecond float64 `json:"files_per_second"`
	CPUSeconds     float64 `json:"cpu_seconds"` // of the processes that ran the script; not on Windows
}

// script imports modules that scripts of archives typically use, from the standard library
// only, and counts lines. exec and coprocess run the same script.
const script = `import argparse, asyncio, csv, decimal, email.message, http.client, json, logging, sys, unittest.mock, uuid, xml.dom.minidom

def lines(path):
    with open(path, "rb") as f:
        return sum(1 for _ in f)

def call(jobs):
    for job in jobs:
        job.set_fact("lines", lines(job.path))

if __name__ == "__main__":
    print(json.dumps({"lines": lines(sys.argv[1])}))
`

// Coprocess compares one process per file with a process that keeps running. Both run the
// same Python script over small files, one at a time. It measures only the handlers, and
// needs no servers. When ctx ends it reports what was measured until then.
func Coprocess(ctx context.Context, o CoprocessOptions, report func(ScriptMeasurement) error) (err error) {
	dir, err := os.MkdirTemp("", "baler-bench-*")
	if err != nil {
		return fmt.Errorf("make folder: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	paths := make([]string, o.Files)
	for i := range paths {
		paths[i] = filepath.Join(dir, fmt.Sprintf("%06d.txt", i))
		if err := os.WriteFile(paths[i], []byte("one\ntwo\n"), 0o600); err != nil {
			return fmt.Errorf("write sample: %w", err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "lines.py"), []byte(script), 0o600); err != nil {
		return fmt.Errorf("write script: %w", err)
	}
	s := scriptBench{o: o, dir: dir, paths: paths}
	perFile := func(path string) any {
		return map[string]any{
			"command": []any{"python3", "lines.py", path}, "facts": map[string]any{"json": map[string]any{"lines": "lines"}},
		}
	}
	if err := s.measure(ctx, VariantProcess, exec.New(), func() error { return nil }, perFile, report); err != nil {
		return err
	}
	h := coprocess.New()
	return s.measure(ctx, VariantCoprocess, h, h.Close, func(string) any { return map[string]any{"script": "lines.py"} }, report)
}

type scriptBench struct {
	o     CoprocessOptions
	dir   string
	paths []string
}

// measure runs a handler over all files, batch by batch, ends its children, and reports the
// measurement, of the finished files when ctx ends before.
func (s *scriptBench) measure(
	ctx context.Context, variant Variant, h handlers.Handler, end func() error, args func(path string) any,
	report func(ScriptMeasurement) error,
) error {
	cpu, began := childrenTime(), time.Now()
	finished, lastEnd, err := s.run(ctx, variant, h, args)
	err = errors.Join(err, end())
	took := time.Since(began).Seconds()
	if err != nil {
		took = lastEnd.Sub(began).Seconds() // not the time of the file that was cut off
	}
	if finished == 0 {
		return err
	}
	return errors.Join(err, report(ScriptMeasurement{
		Type: "measurement", Variant: variant, Files: finished, Batch: s.o.Batch, Seconds: took,
		FilesPerSecond: float64(finished) / took, CPUSeconds: (childrenTime() - cpu).Seconds(),
	}))
}

// run runs a handler over all files. It counts the files that were finished, and returns
// when the last of them was.
func (s *scriptBench) run(
	ctx context.Context, variant Variant, h handlers.Handler, args func(path string) any,
) (finished int, lastEnd time.Time, err error) {
	roots, err := handlers.NewRoots([]string{s.dir})
	if err != nil {
		return 0, lastEnd, fmt.Errorf("open folder: %w", err)
	}
	defer roots.Close()
	for first := 0; first < len(s.paths); first += s.o.Batch {
		batch := s.paths[first:min(first+s.o.Batch, len(s.paths))]
		jobs := handlers.NewJobs(len(batch), func(i int) handlers.JobSpec {
			return handlers.JobSpec{
				File: tasks.File{No: int64(first + i + 1), Path: batch[i]}, Args: args(batch[i]), Opener: roots, Attempt: 1,
				Commands: func() handlers.CommandAccess { return handlers.CommandAccess{Allowed: true, Dir: s.dir} },
			}
		})
		err := h.Handle(ctx, jobs)
		if ctx.Err() != nil {
			jobs = slices.DeleteFunc(jobs, func(j *handlers.Job) bool { return j.Result().Outcome != tasks.OutcomeSucceeded })
		}
		if err := errors.Join(err, wrongLines(jobs)); err != nil && ctx.Err() == nil {
			return finished, lastEnd, fmt.Errorf("%s: %w", variant, err)
		}
		finished += len(jobs)
		for _, j := range jobs {
			if ended := j.Result().EndedAt; ended.After(lastEnd) {
				lastEnd = ended
			}
		}
		if s.o.Say != nil {
			s.o.Say("%s: %d of %d files", variant, finished, s.o.Files)
		}
		if err := ctx.Err(); err != nil {
			return finished, lastEnd, fmt.Errorf("%s: %w", variant, err)
		}
	}
	return finished, lastEnd, nil
}

// wrongLines returns an error when a job did not count the lines.
func wrongLines(jobs []*handlers.Job) error {
	for _, job := range jobs {
		if r := job.Result(); r.Outcome != tasks.OutcomeSucceeded || string(r.Facts) != `{"lines":2}` {
			return fmt.Errorf("a file ended as %s %s with the facts %s: %s", r.Outcome, r.Code, r.Facts, r.Error)
		}
	}
	return nil
}
