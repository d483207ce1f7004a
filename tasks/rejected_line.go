package tasks

// RejectedLine is a line that load rejected.
type RejectedLine struct {
	Line    int64 // in its file, from 1
	Reason  string
	Content []byte // its beginning
	Size    int64  // bytes of the whole line
}

// MaxRejectLen is how many bytes of a rejected line are kept.
const MaxRejectLen = 2048

// RejectKey is a position in the list of a transfer's rejected lines. The zero value
// is before the first.
type RejectKey struct {
	Step int
	File int64
	Line int64
}

// FileRejectedLine is a rejected line with the path of its file.
type FileRejectedLine struct {
	Key  RejectKey
	Path string
	RejectedLine
}
