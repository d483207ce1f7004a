package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/balerhq/baler/internal/testservers"
)

// EmbeddedOptions configure Embedded. All fields except Tree and Env are required.
type EmbeddedOptions struct {
	Files  int    // empty files
	Tree   string // folder of files with content; empty: Embedded makes one
	Repeat int

	Program string   // the baler binary
	Env     []string // its environment; settings of Baler in it are ignored
	Say     func(format string, args ...any)
}

// The ways of Embedded.
const (
	VariantFind  Variant = "find"     // find -printf '%s %T@' over the empty files
	VariantNoop  Variant = "run noop" // baler run over the empty files, for the first time
	VariantAgain Variant = "run again"
	VariantHash  Variant = "hash" // SHA-256 of the files with content, by HashTree
	VariantRun   Variant = "run"  // baler run with checksum and identify over them, for the first time
)

// EmbeddedMeasurement is one measurement of Embedded. It is a line of the JSON output.
type EmbeddedMeasurement struct {
	Type       string  `json:"type"` // always "measurement"
	Variant    Variant `json:"variant"`
	Files      int     `json:"files"`
	Seconds    float64 `json:"seconds"`
	CPUSeconds float64 `json:"cpu_seconds"`              // user and system time of the process
	CPUPerFile float64 `json:"cpu_microseconds_file"`    // the same for each file
	PeakRSS    int64   `json:"peak_rss_bytes,omitempty"` // 0: unknown, because it ended before it was read; Linux only
	Stolen     float64 `json:"stolen_percent"`           // of the processors' time, by the host; Linux only
	Repeat     int     `json:"repeat"`
}

// Embedded measures baler run with the embedded queue and database, against what reading the
// attributes of the files, and hashing their content, takes by itself. Each measurement is a
// process of its own, so that its processor time is comparable. It needs no servers.
func Embedded(ctx context.Context, o EmbeddedOptions, report func(EmbeddedMeasurement) error) (err error) {
	dir, err := os.MkdirTemp("", "baler-bench")
	if err != nil {
		return fmt.Errorf("make a folder: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	b := &embeddedBench{o: o, dir: dir}
	if err := b.prepare(ctx); err != nil {
		return err
	}
	for repeat := range o.Repeat {
		for _, way := range b.ways() {
			o.Say("[%d/%d] %s", repeat+1, o.Repeat, way.variant)
			m, err := b.measure(ctx, way, repeat+1)
			if err != nil {
				return err
			}
			if err := report(m); err != nil {
				return err
			}
		}
	}
	return nil
}

type embeddedBench struct {
	o       EmbeddedOptions
	dir     string
	empty   tree
	content string
	find    string // the program; empty: there is none
}

// embeddedWay is a process to measure.
type embeddedWay struct {
	variant Variant
	args    []string // of the program, the first is its path
	fresh   bool     // begins with an empty database
	files   int      // that it handles; 0: its report says how many
}

func (b *embeddedBench) prepare(ctx context.Context) (err error) {
	b.o.Say("Making %d empty files.", b.o.Files)
	if b.empty, err = growTree(ctx, filepath.Join(b.dir, "empty"), b.o.Files); err != nil {
		return err
	}
	if b.content, err = filepath.Abs(b.o.Tree); err != nil {
		return fmt.Errorf("find the tree: %w", err)
	}
	if b.o.Tree == "" {
		b.content = filepath.Join(b.dir, "content")
		b.o.Say("Making %d files of %d KiB.", sampleFiles, sampleSize>>10)
		if err := growSamples(ctx, b.content); err != nil {
			return err
		}
	}
	if b.find, err = exec.LookPath("find"); err == nil {
		err = exec.CommandContext(ctx, b.find, b.dir, "-maxdepth", "0", "-printf", "%s %T@\n").Run()
	}
	if err != nil {
		b.find = ""
		b.o.Say("There is no find with -printf, so find is not measured.")
	}
	return ctx.Err()
}

func (b *embeddedBench) ways() []embeddedWay {
	var ways []embeddedWay
	if b.find != "" {
		ways = append(ways, embeddedWay{
			variant: VariantFind, files: b.o.Files, args: []string{b.find, b.empty.root, "-type", "f", "-printf", "%s %T@\n"},
		})
	}
	run := func(args ...string) []string { return append([]string{b.o.Program, "run", "--json"}, args...) }
	return append(
		ways,
		embeddedWay{variant: VariantNoop, args: run("--recipe", "noop", b.empty.root), fresh: true},
		embeddedWay{variant: VariantAgain, files: b.o.Files, args: run("--recipe", "noop", b.empty.root)},
		embeddedWay{variant: VariantHash, args: []string{b.o.Program, "bench", "hash", b.content}},
		embeddedWay{variant: VariantRun, args: run(b.content), fresh: true},
	)
}

// measure runs a process to its end. It is an error when a process does not handle all files.
func (b *embeddedBench) measure(ctx context.Context, way embeddedWay, repeat int) (m EmbeddedMeasurement, err error) {
	state := filepath.Join(b.dir, "state")
	if way.fresh {
		if err := os.RemoveAll(state); err != nil {
			return m, fmt.Errorf("empty the state folder: %w", err)
		}
	}
	var stdout, stderr bytes.Buffer
	cmd := exec.Command(way.args[0], way.args[1:]...) //nolint:noctx // it is ended below
	cmd.Dir, cmd.Env = b.dir, append(withoutSettings(b.o.Env), "BALER_STATE_DIR="+state)
	cmd.Stderr = &stderr
	if way.variant != VariantFind { // its list is of no use
		cmd.Stdout = &stdout
	}
	meter, began := newMeter(nil), time.Now()
	process, err := testservers.Launch(cmd)
	if err == nil {
		meter.born("run", process.PID())
		select {
		case <-process.Ended():
			err = process.Err()
		case <-ctx.Done():
			process.Kill()
			<-process.Ended()
			err = ctx.Err()
		}
	}
	took, used := time.Since(began), meter.end()
	switch {
	case ctx.Err() != nil:
		return m, ctx.Err()
	case err != nil:
		return m, fmt.Errorf("%s: %w: %s", way.variant, err, bytes.TrimSpace(stderr.Bytes()))
	}
	files, err := way.handled(stdout.Bytes())
	if err != nil {
		return m, err
	}
	cpu := cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	return EmbeddedMeasurement{
		Type: "measurement", Variant: way.variant, Files: files, Seconds: took.Seconds(), CPUSeconds: cpu.Seconds(),
		CPUPerFile: cpu.Seconds() * 1e6 / float64(files), PeakRSS: used.peak["run"],
		Stolen: used.stolen, Repeat: repeat,
	}, nil
}

// handled returns how many files a process handled.
func (w *embeddedWay) handled(out []byte) (int, error) {
	var report struct {
		Files    int `json:"files"`
		Finished int `json:"finished"`
		Changes  struct {
			Unchanged int `json:"unchanged"`
		} `json:"changes"`
		Results struct {
			Failed int `json:"failed"`
			Error  int `json:"error"`
		} `json:"results"`
	}
	if w.variant == VariantFind {
		return w.files, nil
	}
	if err := json.Unmarshal(lastLine(out), &report); err != nil {
		return 0, fmt.Errorf("%s: read its report: %w", w.variant, err)
	}
	switch {
	case report.Files == 0:
		return 0, fmt.Errorf("%s: there are no files", w.variant)
	case w.variant == VariantAgain && report.Changes.Unchanged != w.files:
		return 0, fmt.Errorf("%s: %d of %d files are unchanged", w.variant, report.Changes.Unchanged, w.files)
	case w.variant == VariantNoop && report.Results.Failed+report.Results.Error > 0,
		w.variant != VariantHash && report.Finished != report.Files:
		return 0, fmt.Errorf("%s: %d of %d files are finished, and %d failed", w.variant, report.Finished, report.Files,
			report.Results.Failed+report.Results.Error)
	}
	return report.Files, nil
}

func lastLine(out []byte) []byte {
	out = bytes.TrimSpace(out)
	return out[bytes.LastIndexByte(out, '\n')+1:]
}

// withoutSettings removes Baler's settings from an environment, so that the measured
// program uses the embedded queue and database.
func withoutSettings(env []string) []string {
	var rest []string
	for _, v := range env {
		if !strings.HasPrefix(v, "BALER_") {
			rest = append(rest, v)
		}
	}
	return rest
}
