package tasks

import "time"

// Progress is how far the work on one file, or of a final step, is. A handler reports what it
// knows; the zero value says nothing.
type Progress struct {
	Items   int64  `json:"items,omitempty"`    // so far
	OfItems int64  `json:"of_items,omitempty"` // 0: not known
	Unit    string `json:"unit,omitempty"`     // what the items are, in the plural: "members", "pages"
	Bytes   int64  `json:"bytes,omitempty"`    // so far
	OfBytes int64  `json:"of_bytes,omitempty"` // 0: not known
}

// maxUnit is how long a Unit is at most, in bytes.
const maxUnit = 32

// Valid returns the progress without what cannot be: numbers below 0, a whole that is smaller
// than its part, a unit that is too long.
func (p Progress) Valid() Progress {
	p.Items, p.Bytes = max(p.Items, 0), max(p.Bytes, 0)
	if p.OfItems < p.Items {
		p.OfItems = 0
	}
	if p.OfBytes < p.Bytes {
		p.OfBytes = 0
	}
	if len(p.Unit) > maxUnit {
		p.Unit = ""
	}
	return p
}

// RunningFile is a file on which a worker has worked for some seconds or longer. What it says
// is as old as the worker's last heartbeat.
type RunningFile struct {
	Worker    string    `json:"worker"`
	Step      string    `json:"step"`
	File      int64     `json:"file"`
	Path      string    `json:"path"`
	PathBytes []byte    `json:"path_bytes,omitempty"` // base64; only when the path is not valid UTF-8
	StartedAt time.Time `json:"started_at"`
	Progress
}
