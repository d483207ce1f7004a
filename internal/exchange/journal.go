package exchange

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/balerhq/baler/internal/decompress"
	"github.com/balerhq/baler/internal/export"
	"github.com/balerhq/baler/internal/journal"
	"github.com/balerhq/baler/internal/store"
	"github.com/balerhq/baler/tasks"
)

// IsJournal reports whether a path names a folder, or a file that a process has written to its
// journal: ImportJournal reads these.
func IsJournal(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir() || strings.HasPrefix(filepath.Base(path), journal.Prefix)
}

// CutOff is a journal file whose last transfer is not complete, because the process that wrote
// it has died. The journal has this transfer once more, or the database had it as not journaled.
type CutOff struct {
	File  string
	After int // transfers that are complete
}

// JournalImport says what ImportJournal is told and tells.
type JournalImport struct {
	Done   func(Imported) // after each transfer
	CutOff func(CutOff)   // for each file that is cut off
}

// ImportJournal imports transfers from journal files, and from those of folders. It reads all of
// them before it imports: a file that is broken anywhere but at its end is an error, a
// *BrokenLinesError where it has lines, and nothing is imported. Of a transfer that the files
// have several times it imports the one that ended last. Transfers that the database has are
// treated as by Import; one that differs does not keep back the others.
func ImportJournal(ctx context.Context, s *store.Store, paths []string, o JournalImport) error {
	files, err := journalFiles(paths)
	if err != nil {
		return fmt.Errorf("import journal: %w", err)
	}
	newest := make(map[string]journaled)
	for at, name := range files {
		n, cut, err := surveyJournal(ctx, name, func(no int, t *tasks.Transfer) {
			if was, seen := newest[t.UUID]; !seen || !t.EndedAt.Before(was.transfer.EndedAt) {
				newest[t.UUID] = journaled{file: at, no: no, transfer: t}
			}
		})
		if err != nil {
			return fmt.Errorf("import journal: %s: %w", name, err)
		}
		if cut && o.CutOff != nil {
			o.CutOff(CutOff{name, n})
		}
	}
	var differ []error
	for at, name := range files {
		chosen := make(map[int]bool)
		for _, j := range newest {
			if j.file == at {
				chosen[j.no] = true
			}
		}
		if err := importChosen(ctx, s, name, chosen, o.Done, &differ); err != nil {
			return fmt.Errorf("import journal: %s: %w", name, err)
		}
	}
	return errors.Join(differ...)
}

// journaled is where the files have a transfer.
type journaled struct {
	file, no int
	transfer *tasks.Transfer
}

// journalFiles lists the files of paths, oldest first within a folder.
func journalFiles(paths []string) (files []string, err error) {
	for _, path := range paths {
		info, err := os.Stat(path)
		if err != nil {
			return nil, err
		}
		if !info.IsDir() {
			files = append(files, path)
			continue
		}
		found, err := filepath.Glob(filepath.Join(escapeGlob(path), journal.Prefix+"*"))
		if err != nil {
			return nil, err
		}
		if len(found) == 0 {
			return nil, fmt.Errorf("%s has no file whose name begins with %s", path, journal.Prefix)
		}
		files = append(files, found...)
	}
	slices.Sort(files)
	return slices.Compact(files), nil
}

func escapeGlob(path string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(path)
}

// openJournal opens a file, and decompresses it by what it begins with.
func openJournal(name string) (r io.Reader, done func() error, err error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, nil, err
	}
	in := bufio.NewReaderSize(f, 256<<10)
	release := func() {}
	begin, _ := in.Peek(4) // a file that is shorter is not compressed
	switch {
	case strings.HasPrefix(string(begin), "\x28\xb5\x2f\xfd"):
		r, release, err = decompress.Zstd(in)
	case strings.HasPrefix(string(begin), "\x1f\x8b"):
		r, err = decompress.Gzip(in)
	default:
		r = in
	}
	if err != nil {
		return nil, nil, errors.Join(err, f.Close())
	}
	return r, func() error {
		release()
		return f.Close()
	}, nil
}

// surveyJournal reads a file, and calls each with its transfers that are complete, counted from
// 0. cut says that another one, which is not, follows.
func surveyJournal(ctx context.Context, name string, each func(no int, t *tasks.Transfer)) (n int, cut bool, err error) {
	in, done, err := openJournal(name)
	if err != nil {
		return 0, false, err
	}
	defer func() { err = errors.Join(err, done()) }()
	var current *tasks.Transfer
	var broken BrokenLinesError
	for record, err := range export.Scan(in) {
		if ended := ctx.Err(); ended != nil {
			return n, false, ended
		}
		line, isBroken := errors.AsType[export.BrokenLine](err)
		switch {
		case isBroken && len(broken.Lines) < mostBroken:
			broken.Lines = append(broken.Lines, line)
		case isBroken:
			broken.More++
		case err != nil && isCutOff(err):
			return n, true, nil
		case err != nil:
			return n, false, err
		case record.Transfer != nil:
			if len(broken.Lines) > 0 {
				return n, false, &broken // another transfer follows what is broken
			}
			current = record.Transfer
		case record.End != nil:
			if len(broken.Lines) > 0 {
				return n, false, &broken
			}
			each(n, current)
			n++
		}
	}
	return n, len(broken.Lines) > 0, nil
}

// isCutOff reports whether a compressed stream ends too early.
func isCutOff(err error) bool { return errors.Is(err, io.ErrUnexpectedEOF) }

// importChosen imports those transfers of a file that are chosen by their number.
func importChosen(
	ctx context.Context, s *store.Store, name string, chosen map[int]bool, done func(Imported), differ *[]error,
) (err error) {
	if len(chosen) == 0 {
		return nil
	}
	in, closeFile, err := openJournal(name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeFile()) }()
	i := importer{ctx: ctx, store: s}
	n := 0
	for record, err := range export.Scan(in) {
		if chosen[n] && err == nil {
			err = i.next(&record, nil, done)
			if errors.Is(err, ErrImportDiffers) {
				*differ = append(*differ, fmt.Errorf("%s: %w", name, err))
				err = nil
			}
			if err != nil {
				return err
			}
		}
		if record.End != nil {
			delete(chosen, n)
			n++
		}
		if len(chosen) == 0 {
			return nil
		}
		if err != nil {
			return err
		}
	}
	return nil
}
