package tasks

import "time"

// File is one item of a transfer.
type File struct {
	No    int64     // 1… within the transfer; zero before it is registered
	Path  string    // absolute; any bytes but NUL, not always UTF-8
	Size  int64     // bytes, as the scan saw it
	MTime time.Time // modification time as the scan saw it; zero when unknown

	// Part is the number, from 1, of the chunk of a split file; 0 is the whole file.
	// A chunk is the Size bytes from Offset on. Its first line is line number Line
	// of the file, from 1.
	Part, Offset, Line int64

	// ScanError is why the scan could not read the file, as "not-found: …"; the
	// text before the colon becomes the code of a failed result. It is empty when
	// the scan could read the file.
	ScanError string
}
