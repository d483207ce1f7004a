package runner

import (
	"context"
	"strings"
	"time"

	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/tasks"
)

// recheckTime bounds the second check for files; a network share that does not
// answer leaves them as the scan found them.
const recheckTime = 10 * time.Second

// recheck checks again for files that the scan could not read: they may be there
// by now, as after 'baler retry'. Those that are have their size and time noted.
func (r *batchRun) recheck(ctx context.Context) error {
	var lost []tasks.File
	for i := range r.work {
		if mayReturn(&r.work[i]) {
			lost = append(lost, r.work[i])
		}
	}
	if len(lost) == 0 || r.poisoned || r.isCanceled() {
		return nil
	}
	roots, closeRoots, err := r.openRoots()
	if err != nil {
		return err
	}
	answers := make(chan tasks.File, len(lost))
	go func() {
		defer closeRoots()
		defer close(answers)
		for _, f := range lost {
			answers <- look(roots, f)
		}
	}()
	found := r.found(ctx, answers)
	if len(found) == 0 {
		return nil
	}
	if err := r.store.FilesFound(ctx, r.batch.Transfer, found); err != nil {
		return err
	}
	for i := range r.work {
		if len(found) > 0 && found[0].No == r.work[i].No { // both ascend
			r.work[i], found = found[0], found[1:]
		}
	}
	return nil
}

// found gathers the files that can be read now, until all were looked at, or it takes
// too long.
func (r *batchRun) found(ctx context.Context, answers <-chan tasks.File) (found []tasks.File) {
	tooLong := time.NewTimer(recheckTime)
	defer tooLong.Stop()
	for {
		select {
		case f, more := <-answers:
			if !more {
				return found
			}
			if f.ScanError == "" {
				found = append(found, f)
			}
		case <-tooLong.C:
			r.log.WarnContext(ctx, "worker: files that the scan could not read do not answer", "waited", recheckTime)
			return found
		case <-r.canceled.Done():
			return found
		case <-r.stopping.Done():
			return found
		}
	}
}

// mayReturn reports whether the scan could not read the file for a reason that may pass.
func mayReturn(f *tasks.File) bool {
	code, _, _ := strings.Cut(f.ScanError, ":")
	return code == handlers.CodeNotFound || code == handlers.CodeNotPermitted || code == "unreadable"
}

// look returns the file as it is now, and unchanged when it still cannot be read.
func look(roots *handlers.Roots, f tasks.File) tasks.File {
	file, err := roots.Open(f.Path)
	if err != nil {
		return f
	}
	defer file.Close() // nothing was written
	info, err := file.Stat()
	if err != nil {
		return f
	}
	f.Size, f.MTime, f.ScanError = info.Size(), info.ModTime().UTC().Truncate(time.Microsecond), ""
	f.Version = handlers.ObjectVersion(info)
	return f
}
