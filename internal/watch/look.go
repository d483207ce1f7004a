package watch

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// entry is what a look finds: a file or a folder that becomes a transfer.
type entry struct {
	path        string // relative to the watched folder
	fingerprint string // its fingerprint: another one is another content
	marked      bool   // it is complete, or needs no marker
}

// looker looks at a folder. It follows no links.
type looker struct {
	*Settings

	inodes bool                             // the file system keeps their numbers
	folder func(path string)                // is called with each folder that must be looked at; may be nil
	note   func(path, what string, _ error) // is called with what is left out
}

const pageSize = 500

// errGone says that the watched folder cannot be read.
var errGone = errors.New("the watched folder cannot be read")

// look yields all entries, in pages.
func (l *looker) look(ctx context.Context, emit func([]entry) error) error {
	found := pages{emit: emit}
	err := filepath.WalkDir(l.Folder, func(path string, d fs.DirEntry, err error) error {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if path == l.Folder && (err != nil || !d.IsDir()) {
			return fmt.Errorf("%w: %w", errGone, errors.Join(err, notFolder(d)))
		}
		if skip, why := l.skip(path, d, err); skip {
			return why
		}
		switch {
		case d.IsDir() && path != l.Folder && l.Each == EachFolder:
			fingerprint, err := l.printFolder(ctx, path)
			if err == nil && fingerprint != "" {
				err = found.add(l.entry(path, fingerprint))
			}
			if err == nil {
				err = fs.SkipDir // its files are counted
			}
			return err
		case d.IsDir():
			l.found(path)
			return nil
		case l.Each == EachFolder:
			l.note(path, "it lies beside the folders, each of which is a transfer", nil)
			return nil
		case l.isMarker(d.Name()):
			return nil
		}
		fingerprint, err := l.printFile(path)
		if err != nil || fingerprint == "" {
			return err
		}
		return found.add(l.entry(path, fingerprint))
	})
	if err != nil {
		return err
	}
	return found.flush()
}

// entry is what look yields of a path below the folder.
func (l *looker) entry(path, fingerprint string) entry {
	rel := strings.TrimPrefix(strings.TrimPrefix(path, l.Folder), string(filepath.Separator))
	return entry{path: rel, fingerprint: fingerprint, marked: l.hasMarker(path)}
}

// pages collects entries into pages.
type pages struct {
	emit func([]entry) error
	page []entry
}

func (p *pages) add(e entry) error {
	if p.page = append(p.page, e); len(p.page) < pageSize {
		return nil
	}
	return p.flush()
}

func (p *pages) flush() error {
	if len(p.page) == 0 {
		return nil
	}
	defer func() { p.page = p.page[:0] }()
	return p.emit(p.page)
}

func notFolder(d fs.DirEntry) error {
	if d != nil && !d.IsDir() {
		return errors.New("it is no folder any more")
	}
	return nil
}

// skip reports what is left out, and what WalkDir is told about it.
func (l *looker) skip(path string, d fs.DirEntry, err error) (bool, error) {
	if path == l.Folder {
		return false, nil
	}
	leave := error(nil)
	if d != nil && d.IsDir() {
		leave = fs.SkipDir
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return true, leave // it was moved or deleted meanwhile
	case err != nil:
		l.note(path, "it cannot be read", err)
		return true, leave
	case l.excluded(path):
		return true, leave
	case !l.Hidden && passing(d.Name()):
		l.note(path, "its name is hidden or temporary", nil)
		return true, leave
	case d.Type()&fs.ModeSymlink != 0:
		l.note(path, "links are not followed", nil)
		return true, nil
	case !d.IsDir() && !d.Type().IsRegular():
		l.note(path, "it is neither a file nor a folder", nil)
		return true, nil
	}
	return false, nil
}

func (l *looker) found(folder string) {
	if l.folder != nil {
		l.folder(folder)
	}
}

func (l *looker) hasMarker(path string) bool {
	if l.Marker == "" {
		return true
	}
	info, err := os.Lstat(l.markerOf(path))
	return err == nil && info.Mode().IsRegular()
}

// fingerprint is the fingerprint of one entry as it is now; empty: it is not there.
func (l *looker) fingerprint(ctx context.Context, rel string) (string, error) {
	return l.printAt(ctx, filepath.Join(l.Folder, rel))
}

// printMoved is the fingerprint of an entry that was moved from a path to a target; empty: it is
// not there.
func (l *looker) printMoved(ctx context.Context, path, target string) (string, error) {
	s := *l.Settings
	s.Folder, s.Exclude = filepath.Dir(target), nil // where outcomes lie is excluded
	for _, out := range l.Exclude {
		if isIn(out, path) {
			s.Exclude = append(s.Exclude, target+strings.TrimPrefix(out, path))
		}
	}
	there := looker{Settings: &s, inodes: l.inodes, note: func(string, string, error) {}} // said before it was moved
	return there.printAt(ctx, target)
}

func (l *looker) printAt(ctx context.Context, path string) (string, error) {
	if l.Each == EachFolder {
		info, err := os.Lstat(path)
		if err != nil || !info.IsDir() {
			return "", absent(err)
		}
		return l.printFolder(ctx, path)
	}
	return l.printFile(path)
}

func absent(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

func (l *looker) printFile(path string) (string, error) {
	info, err := os.Lstat(path)
	if err != nil || !info.Mode().IsRegular() {
		return "", absent(err)
	}
	return "file " + l.printInfo(info), nil
}

func (l *looker) printInfo(info fs.FileInfo) string {
	text := fmt.Sprintf("%d %d", info.Size(), info.ModTime().UnixNano())
	if l.inodes {
		text += fmt.Sprintf(" %d", inode(info))
	}
	return text
}

// printFolder is the fingerprint of all files in a folder; empty when it has none.
func (l *looker) printFolder(ctx context.Context, top string) (string, error) {
	digest, files, bytes := sha256.New(), 0, int64(0)
	err := filepath.WalkDir(top, func(path string, d fs.DirEntry, err error) error {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if path == top && err != nil {
			l.note(path, "it cannot be read", err)
			return fs.SkipAll
		}
		if path != top {
			if skip, why := l.skip(path, d, err); skip {
				return why
			}
		}
		if d.IsDir() {
			l.found(path)
			return nil
		}
		if l.Marker != "" && path == l.markerOf(top) {
			return nil
		}
		info, err := os.Lstat(path)
		if err != nil {
			return absent(err)
		}
		files, bytes = files+1, bytes+info.Size()
		return l.addPrint(digest, path[len(top):], info)
	})
	if err != nil || files == 0 {
		return "", err
	}
	return fmt.Sprintf("folder %d %d %x", files, bytes, digest.Sum(nil)[:16]), nil
}

func (l *looker) addPrint(digest hash.Hash, path string, info fs.FileInfo) error {
	_, err := fmt.Fprintf(digest, "%s\x00%s\x00", path, l.printInfo(info))
	return err
}
