package handlers

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// folderMark is a file beside a folder of MakeFolder. It says that the folder is of this job, and
// of an attempt without a final result: with it, the next attempt finds what an earlier one has
// left. Whoever has the mark holds a lock on it, which ends with the process at the latest: so
// that attempt is known from one that is only slow, and still writes there. The runner ends it
// with Recorded, Superseded or Release.
type folderMark struct {
	path   string   // absolute
	folder string   // absolute
	id     string   // of the folder, see identity; empty: this attempt has found it, and not made it
	lock   *os.File // nil where the file system knows no locks
	open   bool     // the handler has not closed the folder
	settle settling // what Close does when the runner was earlier
}

// settling is what becomes of a mark.
type settling int

const (
	settleLater  settling = iota // the runner will say
	settleRemove                 // the mark is removed
	settleKeep                   // the mark stays for the next attempt
)

// maxMark is how many bytes a mark has at most: two numbers and what is between them.
const maxMark = 41

// markName is the name of the mark of the nth folder of the job. It names the transfer by
// its public id: several databases may write into the same folders.
func (j *Job) markName(n int) string {
	return fmt.Sprintf(".baler-%s-%d-%d.folder-%d", j.spec.TransferUUID, j.spec.Step, j.spec.File.No, n)
}

// markOf is a mark at the place of the folder's.
func (f *FileFolder) markOf(held *os.File) *folderMark {
	return &folderMark{path: filepath.Join(filepath.Dir(f.Path), filepath.Base(f.mark)), folder: f.Path, lock: held}
}

// addMark makes a mark one that the runner will settle.
func (j *Job) addMark(m *folderMark) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.marks = append(j.marks, m)
}

// marked writes the mark of the folder, with the identity of the folder.
func (f *FileFolder) marked() error {
	if f.job.spec.TransferUUID == "" {
		return nil
	}
	m, err := f.writeMark()
	if err != nil {
		return errors.Join(fmt.Errorf("mark the folder: %w", err), f.root.Remove(f.name))
	}
	f.own = m
	f.job.addMark(m)
	return nil
}

// writeMark makes the mark. What somebody has put in its place stays, also a link that leads
// nowhere: the error is then fs.ErrExist. It is that too when another attempt has locked the
// mark first, which then takes it for one of a dead worker.
func (f *FileFolder) writeMark() (*folderMark, error) {
	id, err := f.identity()
	if err != nil {
		return nil, err
	}
	mark, err := f.root.OpenFile(f.mark, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return nil, err
	}
	ok, held := f.job.lockFile(mark)
	if held {
		return nil, errors.Join(fs.ErrExist, mark.Close())
	}
	if _, err = mark.WriteString(id); err != nil {
		return nil, errors.Join(err, f.unmark(), mark.Close())
	}
	m := f.markOf(mark)
	m.id, m.open = id, true
	if !ok {
		m.lock = nil
		err = mark.Close()
	}
	if err != nil {
		return nil, errors.Join(err, f.unmark())
	}
	return m, nil
}

// takeMark takes the mark of an attempt that has ended. there says that something has its name;
// without a mark it is of somebody else, or of an attempt that runs, or may run.
func (f *FileFolder) takeMark() (m *folderMark, id string, there bool, err error) {
	info, err := f.root.Lstat(f.mark)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, "", false, nil
	}
	if err != nil || !info.Mode().IsRegular() || info.Size() > maxMark {
		return nil, "", true, err
	}
	file, err := f.root.OpenFile(f.mark, os.O_RDWR, 0)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) { // removed since, or of another user
		return nil, "", true, nil
	}
	if err != nil {
		return nil, "", true, err
	}
	id, ours, err := f.lockMark(file)
	if !ours || err != nil {
		return nil, "", true, errors.Join(err, file.Close())
	}
	m = f.markOf(file)
	f.job.addMark(m)
	return m, id, true, nil
}

// lockMark locks and reads what has the name of the mark; ours says that it can be one: the identity
// of a folder, or nothing when its worker was killed while it wrote.
func (f *FileFolder) lockMark(file *os.File) (id string, ours bool, err error) {
	if ok, _ := f.job.lockFile(file); !ok {
		return "", false, nil
	}
	locked, err := file.Stat()
	if err != nil {
		return "", false, err
	}
	// Whoever had the lock may have removed the mark.
	if now, err := f.root.Lstat(f.mark); err != nil || !os.SameFile(locked, now) {
		return "", false, nil //nolint:nilerr // then it is not the mark any more
	}
	content, err := io.ReadAll(io.LimitReader(file, maxMark+1))
	if err != nil {
		return "", false, err
	}
	return string(content), len(content) == 0 || isIdentity(string(content)), nil
}

// lockFile locks an open mark, see lock.
func (j *Job) lockFile(f *os.File) (ok, held bool) {
	if j.lock != nil {
		return j.lock(f)
	}
	return lock(f)
}

// unmark removes the mark of a folder that is gone.
func (f *FileFolder) unmark() error { return removeFrom(f.root, f.mark) }

// identity tells the folder from another one that has its name later.
func (f *FileFolder) identity() (string, error) { return identityIn(f.root, f.name) }

// isIdentity reports whether a text can be one that identity gives.
func isIdentity(text string) bool {
	number, born, ok := strings.Cut(text, "-")
	_, noNumber := strconv.ParseUint(number, 10, 64)
	_, noTime := strconv.ParseInt(born, 10, 64)
	return ok && noNumber == nil && noTime == nil
}

func identityIn(root *os.Root, name string) (string, error) {
	info, err := root.Lstat(name)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%d-%d", fileNumber(info), fileBorn(root, name)), nil
}

// sweep removes the folder if it is one that an earlier attempt has left whose worker is dead. It
// reports whether another attempt uses the name, or has used it.
func (f *FileFolder) sweep(ctx context.Context) (used bool, err error) {
	if f.job.spec.TransferUUID == "" {
		return false, nil
	}
	m, mark, used, err := f.takeMark()
	if err != nil || m == nil {
		return used, err
	}
	if err := f.job.removeUnlessEmitted(ctx, f.root, f.name, f.Path, mark); err != nil {
		return true, errors.Join(err, f.job.dropMark(m))
	}
	return true, nil
}

// removeUnlessEmitted removes a folder if it is the one that a mark means, and none of the files in
// it are files of the transfer.
func (j *Job) removeUnlessEmitted(ctx context.Context, root *os.Root, name, path, mark string) error {
	id, err := identityIn(root, name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil || id != mark { // somebody has put another one there
		return err
	}
	if j.spec.EmittedIn == nil {
		return nil
	}
	kept, err := j.spec.EmittedIn(ctx, &j.spec.File, path)
	if err != nil || kept {
		return err
	}
	return root.RemoveAll(name)
}

// Recorded says that the result of the job is in the database as the job has ended, and final: the
// marks of its folders are removed. It is for runners, as the two below are. Of the three, the
// first call counts.
func (j *Job) Recorded() error { return j.settleMarks(settleRemove, nil) }

// Superseded says that this job's result will never be in the database, or not as the job has
// ended: another attempt took the file over, or follows. Then the folders that it has made are
// removed, with their marks, but for one whose files are files of the transfer. One that the
// handler has not closed yet stays, with its mark, until it does.
func (j *Job) Superseded(ctx context.Context) error {
	return j.settleMarks(settleRemove, func(m *folderMark) error {
		if m.id == "" {
			return nil
		}
		p, err := j.spec.Outputs.existing(m.folder)
		if err != nil {
			return err
		}
		return errors.Join(j.removeUnlessEmitted(ctx, p.root, p.name, m.folder, m.id), p.root.Close())
	})
}

// Release says that nothing is known of the job's result: the marks of its folders stay, for the
// attempt that comes next.
func (j *Job) Release() error { return j.settleMarks(settleKeep, nil) }

// settleMarks ends all marks. A mark stays when before fails, or while the folder is open.
func (j *Job) settleMarks(s settling, before func(*folderMark) error) error {
	j.mu.Lock()
	marks := j.marks
	j.marks = nil
	var closed []*folderMark
	for _, m := range marks {
		if !m.open {
			closed = append(closed, m)
			continue
		}
		m.settle = s
		if before != nil { // what is in it then is unknown to Close
			m.settle = settleKeep
		}
	}
	j.mu.Unlock()
	var errs []error
	for _, m := range closed {
		errs = append(errs, j.settleMark(m, s, before))
	}
	return errors.Join(errs...)
}

func (j *Job) settleMark(m *folderMark, s settling, before func(*folderMark) error) (err error) {
	defer func() { err = errors.Join(err, m.unlock()) }()
	if s == settleKeep {
		return nil
	}
	if before != nil {
		if err := before(m); err != nil {
			return err
		}
	}
	p, err := j.spec.Outputs.existing(m.path)
	if err != nil {
		return err
	}
	return errors.Join(removeFrom(p.root, p.name), p.root.Close())
}

// unlock gives up the lock.
func (m *folderMark) unlock() error {
	if m.lock == nil {
		return nil
	}
	return m.lock.Close()
}

// closeMark ends the mark of a folder that the handler closes: with the folder if that is gone.
// One with emitted files waits for the runner, unless the runner was earlier.
func (f *FileFolder) closeMark(gone bool) error {
	m := f.own
	if m == nil {
		return nil
	}
	f.job.mu.Lock()
	m.open = false
	s := m.settle
	f.job.mu.Unlock()
	switch {
	case gone:
		return errors.Join(f.unmark(), f.job.dropMark(m))
	case !f.emitted || s == settleKeep: // not emitted: the folder could not be removed
		return f.job.dropMark(m)
	case s == settleRemove:
		return errors.Join(f.unmark(), m.unlock())
	}
	return nil
}

// dropMark leaves a mark as it is, to the attempt that comes next.
func (j *Job) dropMark(m *folderMark) error {
	j.mu.Lock()
	j.marks = slices.DeleteFunc(j.marks, func(o *folderMark) bool { return o == m })
	j.mu.Unlock()
	return m.unlock()
}

// removeFrom removes a file that may be gone.
func removeFrom(root *os.Root, name string) error {
	err := root.Remove(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
