package tasks

import "time"

// File is one item of a transfer.
type File struct {
	No    int64     // 1… within the transfer; zero before it is registered
	Path  string    // absolute; any bytes but NUL, not always UTF-8
	Size  int64     // bytes, as the scan saw it
	MTime time.Time // modification time as the scan saw it; zero when unknown

	// Part numbers, from 1, the parts that a file of lines was split into; 0 is
	// the whole file. A part is the Size bytes from Offset on, which begin with
	// the line number Line, from 1.
	Part, Offset, Line int64

	// ScanError says why the scan could not read the file ("not-found: …"): the
	// part before the colon becomes the code of a failed result. Empty when all
	// was well.
	ScanError string
}
