package handlers

import (
	"context"
	"errors"
	"io/fs"
)

// SweepFolders removes what attempts whose workers were killed have left of the folders that the job
// has below base: the marks, and folders without files of the transfer. It is for runners, of
// files whose result is recorded and final, so that no later attempt does it. What is not Baler's
// stays, and so does the folder, with its mark, of an attempt that still runs.
func (j *Job) SweepFolders(ctx context.Context, base string) error {
	p, err := j.spec.Outputs.existing(j.folderPath(base))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	f := &FileFolder{Base: base, job: j, root: p.root}
	for n, more := 1, true; more && n <= maxFolderNumber; n++ {
		f.number(p, n)
		if more, err = f.sweepNumber(ctx); err != nil {
			break
		}
	}
	return errors.Join(err, j.Recorded(), p.root.Close())
}

// sweepNumber sweeps the folder of one number. there says that there is something of that number,
// and so maybe of the next one.
func (f *FileFolder) sweepNumber(ctx context.Context) (there bool, err error) {
	_, err = f.root.Lstat(f.name)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false, err
	}
	there = err == nil
	used, err := f.sweep(ctx)
	return there || used, err
}

// MarkedFolders lists the folders that the job has made and the handler has closed, and whose marks
// the runner has not settled.
func (j *Job) MarkedFolders() (paths []string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, m := range j.marks {
		if m.id != "" && !m.open {
			paths = append(paths, m.folder)
		}
	}
	return paths
}
