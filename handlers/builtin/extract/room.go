package extract

import (
	"fmt"
	"io"
	"sync"

	"github.com/dustin/go-humanize"

	"github.com/balerhq/baler/handlers"
)

// CodeNoSpace says that the disk would have too little room left.
const CodeNoSpace = "no-space"

// roomStep is how much is promised at a time to a member whose size is not known.
const roomStep = 16 << 20

// room is what the extractions of a worker may still write together. Each is promised room
// before it writes, so that those that run at the same time do not fill a disk of which every
// single one has seen enough.
type room struct {
	mu       sync.Mutex
	promised int64 // and not written yet
}

// promise gives a member n more bytes.
func (r *room) promise(job *handlers.Job, path string, n int64) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	free, known := job.FreeSpace(path)
	if known && free-r.promised-n < job.MinFree() {
		return handlers.RetryLater(CodeNoSpace, fmt.Errorf(
			"write %s: %s more are needed and %s are free on the disk, of which %s are promised to members that are being extracted, and "+
				"worker.min_free (BALER_WORKER_MIN_FREE) keeps %s free", path, humanize.IBytes(uint64(n)), humanize.IBytes(uint64(max(free, 0))),
			humanize.IBytes(uint64(r.promised)), humanize.IBytes(uint64(job.MinFree()))))
	}
	r.promised += n
	return nil
}

// keep takes back what was promised: it is written, or not needed.
func (r *room) keep(n int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.promised -= n
}

// roomed is the content of a member that is read only as far as there is room for it.
type roomed struct {
	r    io.Reader
	room *room
	job  *handlers.Job
	path string
	left int64 // promised to it
}

// newRoomed promises a member the size that it declares; -1 is unknown.
func newRoomed(room *room, job *handlers.Job, path string, size int64, r io.Reader) (*roomed, error) {
	c := &roomed{r: r, room: room, job: job, path: path}
	if size <= 0 {
		return c, nil
	}
	if err := room.promise(job, path, size); err != nil {
		return nil, err
	}
	c.left = size
	return c, nil
}

// Read implements io.Reader.
func (c *roomed) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	if n == 0 {
		return n, err
	}
	if c.left < int64(n) {
		more := max(roomStep, int64(n))
		if full := c.room.promise(c.job, c.path, more); full != nil {
			return n, full
		}
		c.left += more
	}
	c.left -= int64(n)
	c.room.keep(int64(n))
	return n, err
}

// close takes back what was not needed.
func (c *roomed) close() {
	c.room.keep(c.left)
	c.left = 0
}
