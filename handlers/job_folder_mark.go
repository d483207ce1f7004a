package handlers

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
)

// A mark is a file beside a folder of MakeFolder. It says that the folder is of this job, and of
// an attempt without a final result: with it, the next attempt finds what an earlier one has
// left. The runner removes it once the result is recorded.

// folderMark is the name of the mark of the nth folder of the job. It names the transfer by
// its public id: several databases may write into the same folders.
func (j *Job) folderMark(n int) string {
	return fmt.Sprintf(".baler-%s-%d-%d.folder-%d", j.spec.TransferUUID, j.spec.Step, j.spec.File.No, n)
}

// marked writes the mark of the folder, with the identity of the folder.
func (f *FileFolder) marked() error {
	if f.job.spec.TransferUUID == "" {
		return nil
	}
	if err := f.writeMark(); err != nil {
		return errors.Join(fmt.Errorf("mark the folder: %w", err), f.root.Remove(f.name))
	}
	f.job.mu.Lock()
	defer f.job.mu.Unlock()
	f.job.marks = append(f.job.marks, filepath.Join(filepath.Dir(f.Path), filepath.Base(f.mark)))
	return nil
}

// writeMark makes the mark. What somebody has put in its place stays, also a link that leads
// nowhere: the error is then fs.ErrExist.
func (f *FileFolder) writeMark() error {
	id, err := f.identity()
	if err != nil {
		return err
	}
	mark, err := f.root.OpenFile(f.mark, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = mark.WriteString(id)
	if err = errors.Join(err, mark.Close()); err != nil {
		return errors.Join(err, f.unmark())
	}
	return nil
}

// readMark reads the mark; there says that something has its name, and ours that it can be a
// mark: the number of a folder, or nothing when its worker was killed while it wrote.
func (f *FileFolder) readMark() (id string, there, ours bool, err error) {
	info, err := f.root.Lstat(f.mark)
	if errors.Is(err, fs.ErrNotExist) {
		return "", false, false, nil
	}
	if err != nil || !info.Mode().IsRegular() || info.Size() > maxMark {
		return "", true, false, err
	}
	content, err := f.root.ReadFile(f.mark)
	if errors.Is(err, fs.ErrNotExist) { // removed since
		return "", true, false, nil
	}
	id = string(content)
	_, noNumber := strconv.ParseUint(id, 10, 64)
	return id, true, err == nil && (id == "" || noNumber == nil), err
}

// maxMark is how many bytes a mark has at most.
const maxMark = 20

// unmark removes the mark of a folder that is gone.
func (f *FileFolder) unmark() error {
	err := f.root.Remove(f.mark)
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return err
}

// identity tells the folder from another one that has its name later.
func (f *FileFolder) identity() (string, error) {
	info, err := f.root.Lstat(f.name)
	if err != nil {
		return "", err
	}
	return strconv.FormatUint(fileNumber(info), 10), nil
}

// sweep removes the folder if it is one that an earlier attempt has left. It reports whether an
// earlier attempt has used the name.
func (f *FileFolder) sweep(ctx context.Context) (used bool, err error) {
	if f.job.spec.TransferUUID == "" {
		return false, nil
	}
	mark, there, ours, err := f.readMark()
	if err != nil || !ours {
		return there, err
	}
	f.job.mu.Lock()
	f.job.marks = append(f.job.marks, filepath.Join(filepath.Dir(f.Path), filepath.Base(f.mark)))
	f.job.mu.Unlock()
	id, err := f.identity()
	if errors.Is(err, fs.ErrNotExist) {
		return true, nil
	}
	if err != nil || id != mark {
		return true, err // somebody has put another one there
	}
	if f.job.spec.EmittedIn == nil {
		return true, nil
	}
	kept, err := f.job.spec.EmittedIn(ctx, &f.job.spec.File, f.Path)
	if err != nil || kept {
		return true, err
	}
	return true, f.root.RemoveAll(f.name)
}

// Recorded says that the result of the job is in the database, and final: what MakeFolder has
// noted for a further attempt is removed. It is for runners.
func (j *Job) Recorded() error {
	j.mu.Lock()
	marks := j.marks
	j.marks = nil
	j.mu.Unlock()
	var errs []error
	for _, mark := range marks {
		p, err := j.spec.Outputs.existing(mark)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		if err := p.root.Remove(p.name); err != nil && !errors.Is(err, os.ErrNotExist) {
			errs = append(errs, err)
		}
		errs = append(errs, p.root.Close())
	}
	return errors.Join(errs...)
}
