package tasks

// RejectedLine is a line that was set aside. Make one with NewRejectedLine.
type RejectedLine struct {
	Line    int64 // in its file, from 1
	Reason  string
	Content []byte // its beginning
	Size    int64  // bytes of the whole line
}

// MaxRejectLen is how many bytes of a line that was set aside is kept.
const MaxRejectLen = 2048

// RejectKey is a place in the list of a transfer's rejects; zero is before the first.
type RejectKey struct {
	Step int
	File int64
	Line int64
}

// FileRejectedLine is a reject with the file that it comes from.
type FileRejectedLine struct {
	Key  RejectKey
	Path string
	RejectedLine
}
