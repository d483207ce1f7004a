package handlers

import (
	"os"
	"path/filepath"

	"github.com/balerhq/baler/internal/diskspace"
	"github.com/balerhq/baler/tasks"
)

// DefaultMinFree is how many bytes extractions leave free on a disk.
const DefaultMinFree = 256 << 20

// MinFree is how many bytes handlers that write much leave free on a disk.
func (j *Job) MinFree() int64 {
	if j.spec.MinFree > 0 {
		return j.spec.MinFree
	}
	return DefaultMinFree
}

// FreeSpace is how many bytes may still be written to the disk that a path of Create lies on. It
// is not known of object storage, and of some systems.
func (j *Job) FreeSpace(path string) (bytes int64, known bool) {
	if tasks.IsObject(path) {
		return 0, false
	}
	if !filepath.IsAbs(path) {
		path = filepath.Join(j.spec.Outputs.relative, path)
	}
	dir := filepath.Dir(path)
	for {
		if _, err := os.Stat(dir); err == nil || dir == filepath.Dir(dir) {
			break
		}
		dir = filepath.Dir(dir)
	}
	free, known := diskspace.Free(dir)
	return int64(min(free, 1<<62)), known
}
