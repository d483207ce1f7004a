package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/handlers/builtin/coprocess"
	"github.com/balerhq/baler/handlers/builtin/exec"
	"github.com/balerhq/baler/tasks"
)

// CoprocessOptions configure Coprocess.
type CoprocessOptions struct {
	Files int
	Batch int // files in a batch
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
	Files          int     `json:"files"`
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
// needs no servers.
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
	m, err := s.measure(ctx, VariantProcess, exec.New(), func() error { return nil }, perFile)
	if err == nil {
		err = report(m)
	}
	if err != nil {
		return err
	}
	h := coprocess.New()
	m, err = s.measure(ctx, VariantCoprocess, h, h.Close, func(string) any { return map[string]any{"script": "lines.py"} })
	return errors.Join(err, report(m))
}

type scriptBench struct {
	o     CoprocessOptions
	dir   string
	paths []string
}

// measure runs a handler over all files, batch by batch, and ends its children.
func (s *scriptBench) measure(
	ctx context.Context, variant Variant, h handlers.Handler, end func() error, args func(path string) any,
) (m ScriptMeasurement, err error) {
	roots, err := handlers.NewRoots([]string{s.dir})
	if err != nil {
		return m, fmt.Errorf("open folder: %w", err)
	}
	defer roots.Close()
	cpu, began := childrenTime(), time.Now()
	for first := 0; first < len(s.paths); first += s.o.Batch {
		batch := s.paths[first:min(first+s.o.Batch, len(s.paths))]
		jobs := handlers.NewJobs(len(batch), func(i int) handlers.JobSpec {
			return handlers.JobSpec{
				File: tasks.File{No: int64(first + i + 1), Path: batch[i]}, Args: args(batch[i]), Opener: roots, Attempt: 1,
				Commands: func() handlers.CommandAccess { return handlers.CommandAccess{Allowed: true, Dir: s.dir} },
			}
		})
		if err := errors.Join(h.Handle(ctx, jobs), wrongLines(jobs)); err != nil {
			return m, errors.Join(fmt.Errorf("%s: %w", variant, err), end())
		}
	}
	if err := end(); err != nil {
		return m, err
	}
	took := time.Since(began).Seconds()
	return ScriptMeasurement{
		Type: "measurement", Variant: variant, Files: s.o.Files, Batch: s.o.Batch, Seconds: took,
		FilesPerSecond: float64(s.o.Files) / took, CPUSeconds: (childrenTime() - cpu).Seconds(),
	}, nil
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
