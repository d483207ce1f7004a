// Package virusscan scans files for viruses with clamd.
package virusscan

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"time"

	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/tasks"
)

// The codes of virus-scan.
const (
	CodeInfected      = "infected"
	CodeNotScanned    = "not-scanned"    // the file exceeds a limit or is encrypted, so it may be infected
	CodeOldSignatures = "old-signatures" // no virus was found, but the signatures are old or of unknown age
	CodeClamd         = "clamd"          // clamd does not answer, or not as it should
)

// The values of the fact virus_scan. Only an answer of clamd makes a file clean.
const (
	scanClean      = "clean"
	scanInfected   = "infected"
	scanNotScanned = "not-scanned"
)

// Register adds the handler virus-scan to a registry; see New.
func Register(reg *handlers.Registry) error {
	return reg.Register("virus-scan", New(), docs(), handlers.WithoutEarlierFacts(),
		handlers.WithDescription("scans files for viruses with clamd on the same host"),
		handlers.WithBatch(tasks.BatchPolicy{MaxItems: 100, MaxBytes: 1 << 30}),
		handlers.WithArgsCheck(handlers.CheckWith(newScanArgs)), handlers.WithServices(missing),
		handlers.WithFacts("virus_scan", "virus_name", "virus_engine", "virus_signatures", "virus_signatures_date"))
}

// New makes a handler that sends each file to clamd (INSTREAM). Arguments: "clamd", its
// address; "max_size", "max_age", "timeout", "connections" and "without_clamd", see
// newScanArgs. A file with a virus fails. A file that exceeds a limit ends as a warning, and is not clean. When clamd
// is unavailable, ends in the middle or answers anything else, the file is an error, and is retried;
// with "without_clamd": "warning", a file for which no clamd is there ends as a warning, and is
// not clean either.
//
// Facts: virus_scan, which is clean, infected or not-scanned; virus_name; and of the scanner
// virus_engine, virus_signatures and virus_signatures_date.
func New() handlers.Handler {
	s := &scanner{clients: make(map[scanArgs]*client)}
	return handlers.PerFile(s.file, handlers.Parallel(maxParallel), handlers.StallLimit(handlers.DefaultStallLimit))
}

// file scans one file.
func (s *scanner) file(ctx context.Context, job *handlers.Job) error {
	args, err := newScanArgs(job.Args())
	if err != nil {
		return err
	}
	f, err := job.Open()
	if err != nil {
		return err
	}
	defer f.Close() // only read from
	before, err := f.Stat()
	if err != nil {
		return handlers.RetryLater(handlers.CodeIO, err)
	}
	c := s.client(args)
	version, err := c.version(ctx, job.Progress)
	if err != nil && ctx.Err() == nil && args.WithoutClamd == tasks.OutcomeWarning {
		return notScanned(job, err.Error())
	}
	if err != nil {
		return err
	}
	if err := version.record(job); err != nil {
		return err
	}
	if before.Size() > int64(args.MaxSize) {
		return notScanned(job, fmt.Sprintf("the file has %d bytes, more than max_size (%s)", before.Size(), args.MaxSize))
	}
	answer, err := c.scan(ctx, job.ReadProgress(f, before.Size()), job.Progress)
	if err != nil {
		return err
	}
	after, err := f.Stat()
	if err != nil {
		return handlers.RetryLater(handlers.CodeIO, err)
	}
	if after.Size() != before.Size() || !after.ModTime().Equal(before.ModTime()) {
		return handlers.RetryLater(handlers.CodeChangedWhileReading, errors.New("the file changed while it was scanned"))
	}
	return conclude(job, answer, version.warning(args.MaxAge, time.Now()))
}

// conclude reads an answer of clamd to INSTREAM.
func conclude(job *handlers.Job, answer, warning string) error {
	virus, found := strings.CutSuffix(strings.TrimPrefix(answer, "stream: "), " FOUND")
	switch {
	case answer == "stream: OK":
		if err := job.SetFact("virus_scan", scanClean); err != nil || warning == "" {
			return err
		}
		return handlers.Warn(CodeOldSignatures, "no virus was found, but "+warning)
	case found && unscannable(virus):
		return notScanned(job, "clamd could not scan it: "+virus)
	case found && strings.HasPrefix(answer, "stream: ") && virus != "":
		if err := errors.Join(job.SetFact("virus_scan", scanInfected), job.SetFact("virus_name", virus)); err != nil {
			return err
		}
		return handlers.Fail(CodeInfected, errors.New(virus))
	case strings.HasPrefix(answer, "INSTREAM size limit exceeded"):
		return notScanned(job, "it exceeds clamd's StreamMaxLength")
	}
	return handlers.RetryLater(CodeClamd, fmt.Errorf("clamd answered %q", answer))
}

// unscannable reports whether clamd uses the name of a virus to say that it did not look.
func unscannable(virus string) bool {
	return strings.HasPrefix(virus, "Heuristics.Limits.Exceeded") || strings.HasPrefix(virus, "Heuristics.Encrypted")
}

func notScanned(job *handlers.Job, why string) error {
	if err := job.SetFact("virus_scan", scanNotScanned); err != nil {
		return err
	}
	return handlers.Warn(CodeNotScanned, why+"; it may contain a virus")
}

type scanArgs struct {
	Clamd       string
	MaxSize     tasks.Size
	MaxAge      time.Duration
	Timeout     time.Duration
	Connections int

	WithoutClamd tasks.Outcome // error or warning
}

const (
	maxParallel    = 16              // files of a batch that may wait for a connection
	maxConnections = 64              // to one clamd
	longestTimeout = 4 * time.Minute // less than the time after which a file without progress is given up
)

// defaultClamd is where clamd listens. On Windows it does so on a port only.
func defaultClamd(system string) string {
	if system == "windows" {
		return "127.0.0.1:3310"
	}
	return "/run/clamav/clamd.ctl"
}

// newScanArgs reads the arguments: "clamd", the path of its socket (/run/clamav/clamd.ctl)
// or a port of this host (127.0.0.1:3310); "max_size", above which a file is not sent
// (100MiB); "max_age" of the signatures without a warning (168h; 0s for any); "timeout" of an
// answer (2m); "connections" of this process to clamd at a time (4); and "without_clamd", how
// files end when no clamd answers: error, which is retried, or warning.
func newScanArgs(args any) (scanArgs, error) {
	var given struct {
		Clamd       string     `json:"clamd"`
		MaxSize     tasks.Size `json:"max_size"`
		MaxAge      string     `json:"max_age"`
		Timeout     string     `json:"timeout"`
		Connections int        `json:"connections"`
		Without     string     `json:"without_clamd"`
	}
	given.MaxSize, given.Connections = 100<<20, 4
	var a scanArgs
	if err := handlers.DecodeArgs(args, &given); err != nil {
		return a, err
	}
	a = scanArgs{Clamd: cmp.Or(given.Clamd, defaultClamd(runtime.GOOS)), MaxSize: given.MaxSize, Connections: given.Connections}
	bad := func(format string, v ...any) (scanArgs, error) {
		return a, handlers.Fail(handlers.CodeBadArgs, fmt.Errorf(format, v...))
	}
	var err error
	if a.MaxAge, err = tasks.ParseDuration(cmp.Or(given.MaxAge, "168h")); err != nil || a.MaxAge < 0 {
		return bad("max_age is %q; write it as 7d or 12h, or 0s for any age", given.MaxAge)
	}
	if a.Timeout, err = tasks.ParseDuration(cmp.Or(given.Timeout, "2m")); err != nil || a.Timeout <= 0 || a.Timeout > longestTimeout {
		return bad("timeout is %q; write it as 90s, at most %s", given.Timeout, longestTimeout)
	}
	if a.MaxSize < 1 || a.Connections < 1 || a.Connections > maxConnections {
		return bad("max_size is %s and connections are %d; give a size from 1, and 1 to %d connections",
			a.MaxSize, a.Connections, maxConnections)
	}
	switch a.WithoutClamd = tasks.Outcome(cmp.Or(given.Without, string(tasks.OutcomeError))); a.WithoutClamd {
	case tasks.OutcomeError, tasks.OutcomeWarning:
	default:
		return bad("without_clamd is %q; it must be error or warning", given.Without)
	}
	if _, _, err := address(a.Clamd); err != nil {
		return bad("%w", err)
	}
	return a, nil
}
